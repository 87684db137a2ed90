-- id: A27
-- title: Libraries and functions of the host cannot be reassigned through _G
-- expect: refused
-- after: the next call answers {"clean":true}

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  for _, name in ipairs({ "db", "http", "json", "log", "string", "table", "math", "pcall", "error", "tostring", "require", "print" }) do
    must_fail("_G." .. name, function() _G[name] = function() end end)
    must_fail("removing " .. name, function() _G[name] = nil end)
  end
  must_fail("pcall by name", function() pcall = function() return true end end)
  must_fail("_G itself", function() _G = {} end)
  must_fail("a metatable for _G", function() setmetatable(_G, {}) end)
  if type(getmetatable(_G)) == "table" then error("escaped: the metatable of _G is visible", 0) end
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  local ok, message = pcall(error, "x", 0)
  return { json = { clean = ok == false and message == "x" and type(db.query) == "function" } }
end, { public = true })
