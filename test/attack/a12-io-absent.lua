-- id: A12 A13 A14
-- title: The io library does not exist
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

local function must_be_nil(what, value)
  if value ~= nil then error("escaped: " .. what .. " is a " .. type(value), 0) end
end

http.handle("GET", "/attack", function(req)
  must_be_nil("io", io)
  must_fail("open", function() return io.open("/etc/passwd") end)
  must_fail("lines", function() return io.lines("/proc/self/environ") end)
  must_fail("write", function() io.write("x") end)
  must_fail("popen", function() io.popen("id") end)
  return { json = { refused = true } }
end, { public = true })
