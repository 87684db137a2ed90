-- id: C17
-- title: Ranges that no table fills are refused by table.move
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  must_fail("the largest range", table.move, {}, 1, math.maxinteger - 1, 2)
  must_fail("a billion", table.move, { 1 }, 1, 1e9, 2)
  must_fail("an overflow", table.move, {}, math.mininteger, math.maxinteger, 1)
  must_fail("a target that overflows", table.move, { 1, 2 }, 1, 2, math.maxinteger)
  return { json = { refused = true } }
end, { public = true })
