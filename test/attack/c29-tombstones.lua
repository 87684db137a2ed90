-- id: C29
-- title: Walking over removed keys for ever is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local t = {}
  for i = 1, 100000 do t["k" .. i] = i end
  for i = 1, 100000 do t["k" .. i] = nil end
  while true do next(t) end
end, { public = true })
