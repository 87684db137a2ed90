-- id: A20 A21 A23 CVE-2015-4335
-- title: Nothing compiles code at run time
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
  for _, name in ipairs({ "load", "loadstring", "loadfile", "dofile", "module", "setfenv", "getfenv", "newproxy", "warn" }) do
    must_be_nil(name, _G[name])
  end
  must_fail("load of bytecode", function() return load("\27Lua\84\0\25\147") end)
  must_fail("load of a dump", function() return load(string.dump(function() end)) end)
  return { json = { refused = true } }
end, { public = true })
