-- id: C21 CVE-2025-46817
-- title: Unpacking more than the stack holds is an error
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  must_fail("ten million", table.unpack, {}, 1, 10000000)
  must_fail("all integers", table.unpack, {}, math.mininteger, math.maxinteger)
  must_fail("the largest", table.unpack, {}, 0, math.maxinteger)
  must_fail("the smallest", table.unpack, {}, math.mininteger, 0)
  must_fail("bytes", function() return string.byte(("x"):rep(4000000), 1, -1) end)
  must_fail("the global unpack", unpack, {}, 1, 10000000)
  must_fail("select of zero", select, 0)
  must_fail("select of the smallest", select, math.mininteger, 1)
  return { json = { refused = true } }
end, { public = true })
