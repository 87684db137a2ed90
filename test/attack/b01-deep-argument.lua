-- id: B01 W01 CVE-2021-32626
-- title: Arguments nested deep are refused by every host function
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local value = {}
  local at = value
  for _ = 1, 1000 do
    at.x = {}
    at = at.x
  end

  must_fail("json.encode", function() assert(json.encode(value)) end)
  must_fail("db.insert", function() assert(db.insert("t", { a = value })) end)
  must_fail("db.query", function() assert(db.query("t", { where = value })) end)
  must_fail("db.define_table", db.define_table, "t", value)
  pcall(log.info, "x", value)
  return { json = { refused = true } }
end, { public = true })
