-- id: C18
-- title: A table that lies about its length is refused
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local function liar(length) return setmetatable({}, { __len = function() return length end }) end
  must_fail("insert", table.insert, liar(1000000000), 1, "x")
  must_fail("remove", table.remove, liar(1000000000), 1)
  must_fail("insert at the largest", table.insert, liar(math.maxinteger), 1, "x")
  must_fail("sort", table.sort, liar(1000000000))
  must_fail("concat", table.concat, liar(1000000000))
  must_fail("unpack", table.unpack, liar(1000000000))
  must_fail("a text as length", table.insert, liar("many"), "x")
  must_fail("a negative length", table.unpack, liar(-1), math.mininteger, math.maxinteger)
  return { json = { refused = true } }
end, { public = true })
