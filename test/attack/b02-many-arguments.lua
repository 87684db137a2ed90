-- id: B02 C21
-- title: A host function called with many arguments refuses them
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local many = {}
  for i = 1, 100000 do many[i] = i end
  must_fail("db.in_list", db.in_list, table.unpack(many))
  must_fail("json.encode", json.encode, function() end, table.unpack(many))
  pcall(log.info, table.unpack(many))
  pcall(db.query, table.unpack(many))
  return { json = { refused = true } }
end, { public = true })
