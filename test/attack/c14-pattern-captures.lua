-- id: C14 W27
-- title: Captured runs in a row are stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  while true do ("a"):rep(40):match(("(a*)"):rep(20) .. "b") end
end, { public = true })
