-- id: C15 W27
-- title: Frontiers over a long subject are stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local text = ("a "):rep(100000)
  while true do text:gsub("%f[%a].-%f[%s].-%f[%a]x", "") end
end, { public = true })
