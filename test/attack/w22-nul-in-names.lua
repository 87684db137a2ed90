-- id: W22 B11
-- title: NUL ends no name early
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
  must_fail("a member", function() return json["encode\0x"]({}) end)
  must_fail("a module", require, "string\0")
  must_be_nil("a global", _G["db\0"])
  if json.encode({ ["a\0b"] = 1 }) == json.encode({ a = 1 }) then error("escaped: NUL cut a key off", 0) end
  return { json = { refused = true } }
end, { public = true })
