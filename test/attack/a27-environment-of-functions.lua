-- id: A27
-- title: A local _ENV confines only the plugin itself
-- expect: refused
-- after: the next call answers {"clean":true}

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local function inside()
    local _ENV = { tostring = tostring }
    return tostring(db)
  end
  if inside() ~= "nil" then error("escaped: _ENV", 0) end
  local _ENV = setmetatable({}, { __index = _ENV, __newindex = function() end })
  db = nil
  must_fail("db through an environment", function() db.query = nil end)
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = type(db.query) == "function" and type(json.encode) == "function" } }
end, { public = true })
