-- id: A30
-- title: Functions for module scope refuse later phases even when they were kept
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

local kept = { handle = http.handle, use = http.use, on = hooks.on }

http.handle("GET", "/attack", function(req)
  must_fail("a kept http.handle", kept.handle, "GET", "/late", function() end, { public = true })
  must_fail("a kept http.use", kept.use, function() return { json = { evil = true } } end)
  must_fail("a kept hooks.on", kept.on, "before_create", "*", function() end)
  must_fail("http.handle in a coroutine", coroutine.wrap(function() http.handle("GET", "/later", function() end) end))
  return { json = { refused = true } }
end, { public = true })
