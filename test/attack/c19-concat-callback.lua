-- id: C19
-- title: concat over elements without end is refused or stopped
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  must_fail("a range of 10^12", table.concat, setmetatable({}, { __index = function() return "" end }), "", 1, 10 ^ 12)
  must_fail("a native index", table.concat, setmetatable({}, { __index = type }), "", 1, 10 ^ 12)
  return { json = { refused = true } }
end, { public = true })
