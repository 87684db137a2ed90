-- id: A01 A02
-- title: Prototype names reach nothing through the host modules
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
  for _, module in ipairs({ db, http, log, json, string, table, math }) do
    for _, key in ipairs({ "__proto__", "constructor", "prototype", "then", "toString", "hasOwnProperty" }) do
      must_be_nil("a module's " .. key, module[key])
      must_fail("writing " .. key, function() module[key] = { polluted = "yes" } end)
    end
  end
  must_fail("pollution through a module", function() json.__proto__.polluted = "yes" end)
  return { json = { refused = true } }
end, { public = true })
