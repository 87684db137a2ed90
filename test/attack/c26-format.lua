-- id: C26
-- title: Formats with huge widths are refused and the rest is bounded
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  must_fail("a width of five digits", string.format, "%99999d", 1)
  must_fail("a precision of five digits", string.format, "%.99999f", 1)
  must_fail("no argument", string.format, ("%s"):rep(1000))
  must_fail("a lone mark", string.format, "%")
  must_fail("an unknown conversion", string.format, "%y", 1)
  if #string.format("%.99f", 1e308) > 500 then error("escaped: long number", 0) end
  if #string.format(("%99d"):rep(200), table.unpack((function() local t = {} for i = 1, 200 do t[i] = i end return t end)())) ~= 19800 then
    error("escaped: odd length", 0)
  end
  return { json = { refused = true } }
end, { public = true })
