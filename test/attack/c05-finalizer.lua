-- id: C05 C06 W39
-- title: A finalizer cannot be set in any way
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  must_fail("__gc in setmetatable", setmetatable, {}, { __gc = function() while true do end end })
  must_fail("__gc that is no function", setmetatable, {}, { __gc = true })
  local metatable = {}
  local object = setmetatable({}, metatable)
  local ran = false
  metatable.__gc = function() ran = true end
  object = nil
  for _ = 1, 20000 do local _ = { {}, {} } end
  must_fail("__gc through an own metatable again", setmetatable, {}, metatable)
  if ran then error("escaped: a finalizer ran", 0) end
  return { json = { refused = true } }
end, { public = true })
