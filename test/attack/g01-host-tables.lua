-- id: G01 G02
-- title: Tables of the host and of other plugins are out of reach
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
  for _, name in ipairs({ "plugins", "plugin_routes", "sqlite_master", "sqlite_schema", "sqlite_sequence", "users", "plugin_task_tracker_tasks", "pragma_table_info" }) do
    local message = must_not_work("reading " .. name, db.query, name)
    must_not_work("counting " .. name, db.count, name)
    must_not_work("deleting from " .. name, db.delete, name, { where = { name = "x" } })
    must_not_work("updating " .. name, db.update, name, { set = { name = "x" }, where = { name = "x" } })
    must_not_work("joining " .. name, db.query, "items", { joins = { { table = name, local_col = "id", foreign_col = "id" } } })
  end
  return { json = { refused = true } }
end, { public = true })
