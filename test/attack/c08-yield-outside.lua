-- id: C08
-- title: A handler cannot yield to the host
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  must_fail("yield", coroutine.yield, 1)
  must_fail("yield in pcall", function() pcall(error) coroutine.yield("x") end)
  must_fail("yield in sort", table.sort, { 3, 2, 1 }, function() coroutine.yield() end)
  must_fail("yield in gsub", string.gsub, "abc", ".", function() coroutine.yield() end)
  return { json = { refused = true } }
end, { public = true })
