-- id: G19 B14
-- title: Values that no column holds are refused
-- expect: refused

local function must_not_work(what, attempt, ...)
  local ok, result, err = pcall(attempt, ...)
  if ok and not (result == nil and err ~= nil) then error("escaped: " .. what, 0) end
  return tostring(ok and err or result)
end

function on_init()
  db.define_table("items", { columns = { { name = "name", type = "text" }, { name = "n", type = "integer" } } })
end

http.handle("GET", "/attack", function(req)
  local cycle = {}
  cycle.x = cycle
  for _, value in ipairs({ print, cycle, coroutine.create(print) }) do
    must_not_work("storing a " .. type(value), db.insert, "items", { name = value })
    must_not_work("filtering by a " .. type(value), db.query, "items", { where = { name = value } })
    must_not_work("setting a " .. type(value), db.update, "items", { set = { name = value }, where = { n = 1 } })
  end
  pcall(db.insert, "items", { n = 0 / 0 })
  pcall(db.insert, "items", { n = 1 / 0 })
  pcall(db.insert, "items", { n = math.mininteger })
  pcall(db.insert, "items", setmetatable({}, { __index = { name = "x" }, __pairs = error }))
  return { json = { refused = true } }
end, { public = true })
