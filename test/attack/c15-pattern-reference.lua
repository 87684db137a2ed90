-- id: C15 W27
-- title: References to long captures are stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local text = ("a"):rep(100000)
  while true do text:find("^(.-)(.-)%1%2b") end
end, { public = true })
