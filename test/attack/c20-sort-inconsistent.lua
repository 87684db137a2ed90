-- id: C20
-- title: A comparator without sense is an error at worst
-- expect: json:{"count":1000}

http.handle("GET", "/attack", function(req)
  local t = {}
  for i = 1, 1000 do t[i] = (i * 7919) % 1009 end
  pcall(table.sort, t, function() return true end)
  pcall(table.sort, t, function() return math.random() < 0.5 end)
  pcall(table.sort, t, function() error("no") end)
  pcall(table.sort, t, function() t[#t + 1] = nil return false end)
  return { json = { count = #t } }
end, { public = true })
