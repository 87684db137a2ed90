-- id: A36 C30
-- title: format and concat with odd metatables are errors
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local odd = setmetatable({}, { __tostring = function() return {} end, __name = ("x"):rep(100000) })
  must_fail("tostring that gives a number", tostring, odd)
  must_fail("format of it", string.format, "%s", odd)
  must_fail("concat of it", table.concat, { odd })
  return { json = { refused = true } }
end, { public = true })
