-- id: B17 W18
-- title: Null is a value of its own and cannot be opened
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local value = json.decode('{"a":null,"b":[null,1]}')
  if value.b[2] ~= 1 then error("escaped: a null moved its neighbours", 0) end
  must_fail("indexing null", function() json.null.x = 1 end)
  must_fail("calling null", function() json.null() end)
  if type(getmetatable(json.null)) == "table" then error("escaped: metatable of null", 0) end
  return { json = { refused = true } }
end, { public = true })
