-- id: G06
-- title: Queries with thousands of terms are refused or bounded
-- expect: contained

function on_init()
  db.define_table("items", { columns = { { name = "name", type = "text" }, { name = "n", type = "integer" } } })
end

http.handle("GET", "/attack", function(req)
  local values, where = {}, {}
  for i = 1, 20000 do values[i] = i where["c" .. i] = i end
  pcall(db.query, "items", { where = { { "n", "IN", values } } })
  pcall(db.query, "items", { where = where })
  pcall(db.query, "items", { where_or = { where, where } })
  pcall(db.query, "items", { columns = values })
  pcall(db.query, "items", { limit = math.maxinteger, offset = -5 })
  pcall(db.query, "items", { limit = 0 / 0, offset = 1 / 0 })
  local deep = { "n", "=", 1 }
  for _ = 1, 3000 do deep = { "NOT", deep } end
  pcall(db.query, "items", { where = { deep } })
  return { json = { refused = true } }
end, { public = true })
