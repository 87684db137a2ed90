-- id: C15 W27
-- title: Brackets that never close are stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local text = ("("):rep(1000000)
  while true do text:find("%b()") end
end, { public = true })
