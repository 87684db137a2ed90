-- id: C14 W27
-- title: Optional characters in a row are stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  while true do ("a"):rep(60):find(("a?"):rep(60) .. ("a"):rep(60) .. "b") end
end, { public = true })
