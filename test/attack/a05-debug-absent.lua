-- id: A05 A06 A07
-- title: The debug library does not exist
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
  must_be_nil("debug", debug)
  must_be_nil("debug in _G", _G.debug)
  must_fail("getregistry", function() return debug.getregistry() end)
  must_fail("sethook", function() debug.sethook() end)
  must_fail("setmetatable of functions", function() debug.setmetatable(print, { __index = {} }) end)
  must_fail("require debug", require, "debug")
  return { json = { refused = true } }
end, { public = true })
