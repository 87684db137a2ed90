-- id: C36
-- title: Logging for ever is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  while true do pcall(log.info, "x") end
end, { public = true })
