-- id: C31
-- title: A chain of three thousand metatables is an error
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local t = {}
  for _ = 1, 3000 do t = setmetatable({}, { __index = t }) end
  must_fail("the chain", function() return t.x end)
  local loop = {}
  setmetatable(loop, { __index = loop })
  must_fail("the loop", function() return loop.x end)
  return { json = { refused = true } }
end, { public = true })
