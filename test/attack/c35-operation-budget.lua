-- id: C35
-- title: The operations of one call are limited, also through pcall
-- expect: refused
-- after: the next call answers {"clean":true}

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local failed = 0
  for _ = 1, 5000 do
    if not pcall(db.exists, "nothing") then failed = failed + 1 end
  end
  if failed < 1000 then error("escaped: only " .. failed .. " calls failed", 0) end
  must_fail("one more", db.exists, "nothing")
  must_fail("one more in a coroutine", coroutine.wrap(function() return db.exists("nothing") end))
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  local ok, message = pcall(db.exists, "nothing")
  return { json = { clean = ok or not tostring(message):find("operation", 1, true) } }
end, { public = true })
