-- id: A24
-- title: Functions cannot be dumped
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
  must_be_nil("string.dump", string.dump)
  must_be_nil("dump as a method", ("").dump)
  must_fail("dumping a host function", function() return string.dump(json.encode) end)
  return { json = { refused = true } }
end, { public = true })
