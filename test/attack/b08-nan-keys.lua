-- id: B08
-- title: NaN and nil are no keys
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local t = {}
  must_fail("a NaN key", function() t[0 / 0] = 1 end)
  must_fail("a nil key", function() t[nil] = 1 end)
  return { json = { refused = true } }
end, { public = true })
