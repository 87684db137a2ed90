-- id: C18
-- title: A length that grows between two looks is seen once or stopped
-- expect: contained

http.handle("GET", "/attack", function(req)
  local asked = 0
  local t = setmetatable({}, { __len = function() asked = asked + 1 return asked == 1 and 3 or 1 << 40 end, __index = function() return 1 end })
  table.insert(t, 1, 1)
  asked = 0
  table.remove(t, 1)
  asked = 0
  table.sort(t)
  return { json = { refused = true } }
end, { public = true })
