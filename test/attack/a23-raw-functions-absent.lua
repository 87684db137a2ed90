-- id: A27
-- title: Raw access and the garbage collector are out of reach
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

local function must_be_nil(what, value)
  if value ~= nil then error("escaped: " .. what .. " is a " .. type(value), 0) end
end

http.handle("GET", "/attack", function(req)
  for _, name in ipairs({ "rawset", "rawget", "rawequal", "rawlen" }) do must_be_nil(name, _G[name]) end
  must_fail("stopping the collector", collectgarbage, "stop")
  must_fail("collecting", collectgarbage)
  return { json = { refused = true } }
end, { public = true })
