-- id: A15 A17 A37
-- title: The os library does not exist
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
  must_be_nil("os", os)
  for _, name in ipairs({ "execute", "getenv", "tmpname", "rename", "remove", "setlocale", "exit", "clock", "time" }) do
    must_fail("os." .. name, function() return os[name]("x") end)
  end
  return { json = { refused = true } }
end, { public = true })
