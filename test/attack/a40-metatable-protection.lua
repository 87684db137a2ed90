-- id: A26 A29
-- title: A protected metatable cannot be taken off or read
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local object = setmetatable({}, { __metatable = "locked", __index = { secret = 1 } })
  must_fail("replacing it", setmetatable, object, {})
  must_fail("removing it", setmetatable, object, nil)
  if getmetatable(object) ~= "locked" then error("escaped: the metatable is visible", 0) end
  must_fail("json.null", setmetatable, json.null, {})
  return { json = { refused = true } }
end, { public = true })
