-- id: A25 CVE-2025-46818 CVE-2022-24735
-- title: The methods of strings cannot be replaced
-- expect: refused
-- after: the next call answers {"clean":true}

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

local function must_be_nil(what, value)
  if value ~= nil then error("escaped: " .. what .. " is a " .. type(value), 0) end
end

http.handle("GET", "/attack", function(req)
  must_fail("the index of the string metatable", function() getmetatable("").__index.upper = function() return "evil" end end)
  must_fail("string.upper", function() string.upper = function() return "evil" end end)
  must_fail("a new method", function() string.evil = function() return "evil" end end)
  if ("abc"):upper() ~= "ABC" then error("escaped: upper is replaced", 0) end
  must_be_nil("evil", ("").evil)
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = ("abc"):upper() == "ABC" and string.evil == nil and ("x").evil == nil } }
end, { public = true })
