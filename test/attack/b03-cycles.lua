-- id: B03 W23
-- title: Cycles are errors and are not cut off in silence
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local own = {}
  own.x = own
  local a, b = {}, {}
  a.b, b.a = b, a
  for _, value in ipairs({ own, a, { { own } } }) do
    must_fail("encoding a cycle", function() assert(json.encode(value)) end)
    must_fail("storing a cycle", function() assert(db.insert("t", { a = value })) end)
  end
  return { json = { refused = true } }
end, { public = true })
