-- id: C13
-- title: A string of a gigabyte is refused before it is made
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  must_fail("a gigabyte", string.rep, "x", 1e9)
  must_fail("with a separator", string.rep, "x", 1e8, ",")
  must_fail("a long text", string.rep, ("x"):rep(1000000), 1000000)
  must_fail("the largest count", string.rep, "xy", math.maxinteger)
  must_fail("overflow of the size", string.rep, "xy", (1 << 62) + 1)
  return { json = { refused = true } }
end, { public = true })
