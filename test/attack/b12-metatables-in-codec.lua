-- id: B12 B13
-- title: The codec reads raw tables and calls no metamethods
-- expect: refused

http.handle("GET", "/attack", function(req)
  local called = false
  local function spy() called = true while true do end end
  local value = setmetatable({ a = 1 }, { __index = spy, __pairs = spy, __len = spy, __tostring = spy, __name = "evil", __call = spy })
  local text = json.encode({ value })
  pcall(db.query, "t", { where = value })
  pcall(db.insert, "t", value)
  pcall(log.info, "x", value)
  if called then error("escaped: a metamethod ran", 0) end
  if text ~= nil and text ~= '[{"a":1}]' then error("escaped: encoded as " .. text, 0) end
  return { json = { refused = true } }
end, { public = true })
