-- id: G03
-- title: There is no way to pass SQL of one's own
-- expect: refused

local function must_be_nil(what, value)
  if value ~= nil then error("escaped: " .. what .. " is a " .. type(value), 0) end
end

local function must_not_work(what, attempt, ...)
  local ok, result, err = pcall(attempt, ...)
  if ok and not (result == nil and err ~= nil) then error("escaped: " .. what, 0) end
  return tostring(ok and err or result)
end

function on_init()
  db.define_table("items", { columns = { { name = "name", type = "text" }, { name = "n", type = "integer" } } })
end

http.handle("GET", "/attack", function(req)
  for _, name in ipairs({ "raw", "exec", "execute", "sql", "prepare", "pragma", "attach", "connection", "_raw" }) do must_be_nil("db." .. name, db[name]) end
  must_not_work("a subquery as value", db.query, "items", { where = { { "n", "IN", "(SELECT 1)" } } })
  must_not_work("an operator", db.query, "items", { where = { { "n", "= 1 OR 1 =", 1 } } })
  must_not_work("a join type", db.query, "items", { joins = { { type = "cross join plugins --", table = "items", local_col = "id", foreign_col = "id" } } })
  must_not_work("a column type", db.define_table, "bad", { columns = { { name = "a", type = "text; DROP TABLE x" } } })
  must_not_work("an on_delete", db.define_table, "bad", { columns = { { name = "a", type = "text" } }, foreign_keys = { { column = "a", ref_table = "items", ref_column = "id", on_delete = "CASCADE; DROP TABLE x" } } })
  return { json = { refused = true } }
end, { public = true })
