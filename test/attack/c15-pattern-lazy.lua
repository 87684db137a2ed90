-- id: C15 W27
-- title: Two lazy runs over a long subject are stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  while true do ("a"):rep(30000):find(".-.-.-b") end
end, { public = true })
