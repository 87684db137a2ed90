-- id: A33 W38 B14
-- title: Threads and functions are refused as values
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local thread = coroutine.running()
  for _, value in ipairs({ thread, print, coroutine.create(print) }) do
    must_fail("encoding a " .. type(value), function() assert(json.encode(value)) end)
    must_fail("encoding it inside", function() assert(json.encode({ a = { value } })) end)
    must_fail("storing it", function() assert(db.insert("t", { a = value })) end)
  end
  return { json = { refused = true } }
end, { public = true })
