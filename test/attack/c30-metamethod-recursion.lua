-- id: C30
-- title: Metamethods that call themselves are errors
-- expect: refused
-- after: the next call answers {"clean":true}

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local m = {}
  m.__eq = function(a, b) return a == b end
  m.__concat = function(a, b) return a .. b end
  m.__index = function(t, k) return t[k .. "x"] end
  m.__tostring = function(t) return tostring(t) end
  m.__lt = function(a, b) return a < b end
  m.__unm = function(a) return -a end
  local a, b = setmetatable({}, m), setmetatable({}, m)
  must_fail("__eq", function() return a == b end)
  must_fail("__concat", function() return a .. b end)
  must_fail("__tostring", tostring, a)
  must_fail("__lt", function() return a < b end)
  must_fail("__unm", function() return -a end)
  must_fail("a method that raises in tostring", tostring, setmetatable({}, { __tostring = function() return {} end }))
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
