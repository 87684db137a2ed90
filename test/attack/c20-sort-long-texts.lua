-- id: C20
-- title: Sorting long texts that are almost equal is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local a, b, t = ("x"):rep(4000000), ("x"):rep(4000000) .. "y", {}
  for i = 1, 20000 do t[i] = i % 2 == 0 and a or b end
  while true do table.sort(t) end
end, { public = true })
