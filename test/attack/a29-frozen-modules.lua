-- id: A29
-- title: Host modules can be neither written nor unfrozen
-- expect: refused
-- after: the next call answers {"clean":true}

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  for name, module in pairs({ db = db, http = http, json = json, log = log, string = string, table = table, math = math, utf8 = utf8, coroutine = coroutine }) do
    local message = must_fail("a new key in " .. name, function() module.evil = 1 end)
    if not message:find("cannot modify frozen module", 1, true) then error("escaped: odd message " .. message, 0) end
    local key = next({ db = "query", http = "handle", json = "encode", log = "info" }, nil)
    must_fail("an old key in " .. name, function() module[key] = print end)
    must_fail("the metatable of " .. name, function() setmetatable(module, {}) end)
    if getmetatable(module) ~= "protected" then error("escaped: metatable of " .. name, 0) end
    must_fail("table.insert into " .. name, table.insert, module, 1)
    must_fail("table.move into " .. name, table.move, { 1, 2 }, 1, 2, 1, module)
    must_fail("calling " .. name, function() module() end)
  end
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = db.evil == nil and json.evil == nil and string[1] == nil and table[1] == nil } }
end, { public = true })
