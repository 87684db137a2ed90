-- id: C21
-- title: Unpacking for ever is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local t = {}
  for i = 1, 200000 do t[i] = i end
  while true do select("#", table.unpack(t)) end
end, { public = true })
