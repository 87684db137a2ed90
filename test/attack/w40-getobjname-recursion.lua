-- id: C32 C30
-- title: An error about a field of _ENV inside a table is an ordinary error
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local a = { _ENV = {} }
  must_fail("arithmetic on it", function() return a._ENV.x + 1 end)
  local t = {}
  for _ = 1, 100 do t = { _ENV = t } end
  must_fail("deeper", function() return t._ENV._ENV._ENV.x.y end)
  return { json = { refused = true } }
end, { public = true })
