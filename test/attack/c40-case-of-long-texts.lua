-- id: C13 C01
-- title: Long native conversions in a loop are stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local text = ("x"):rep(8000000)
  while true do text:upper():lower():reverse() end
end, { public = true })
