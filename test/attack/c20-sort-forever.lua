-- id: C20
-- title: Sorting for ever is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local t = {}
  for i = 1, 100000 do t[i] = (i * 7919) % 100003 end
  while true do
    table.sort(t)
    table.sort(t, math.ult)
    table.sort(t, function(a, b) return a > b end)
  end
end, { public = true })
