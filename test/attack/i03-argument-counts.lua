-- id: C21 B02
-- title: Vararg functions with many arguments leave the VM well
-- expect: refused
-- after: the next call answers {"clean":true}

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local function count(...) return select("#", ...) end
  local t = {}
  for i = 1, 100000 do t[i] = i end
  if count(table.unpack(t)) ~= 100000 then error("escaped: arguments were lost", 0) end
  must_fail("a negative selection", select, -200000, table.unpack(t))
  must_fail("string.char of everything", string.char, table.unpack(t))
  pcall(math.max, table.unpack(t))
  pcall(json.encode, table.unpack(t))
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = select("#", 1, 2, 3) == 3 } }
end, { public = true })
