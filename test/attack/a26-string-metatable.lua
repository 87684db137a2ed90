-- id: A26 CVE-2025-46818
-- title: The metatable of strings is hidden and cannot be changed
-- expect: refused
-- after: the next call answers {"clean":true}

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local metatable = getmetatable("")
  if type(metatable) == "table" then error("escaped: the metatable of strings is visible", 0) end
  must_fail("setmetatable of a string", function() setmetatable("", { __index = {} }) end)
  must_fail("an arithmetic metamethod", function() getmetatable("").__add = function() return "evil" end end)
  for _, value in ipairs({ 1, true, print, coroutine.create(print) }) do
    if type(getmetatable(value)) == "table" then error("escaped: metatable of a " .. type(value), 0) end
    must_fail("setmetatable of a " .. type(value), function() setmetatable(value, {}) end)
  end
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = not pcall(function() return ("a") + {} end) } }
end, { public = true })
