-- id: G01 G03
-- title: Column names carry no SQL
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
  for _, name in ipairs({ "n; DROP TABLE x", 'n" OR 1=1 --', "n) UNION SELECT 1--", "*", "", "rowid--", "items.n; x", "n\0", "(select 1)", ("n"):rep(200), "n COLLATE x" }) do
    must_not_work("where " .. name:sub(1, 20), db.query, "items", { where = { [name] = 1 } })
    must_not_work("columns " .. name:sub(1, 20), db.query, "items", { columns = { name } })
    must_not_work("order_by " .. name:sub(1, 20), db.query, "items", { order_by = name })
    must_not_work("group_by " .. name:sub(1, 20), db.query, "items", { columns = { "n" }, group_by = { name } })
    must_not_work("insert " .. name:sub(1, 20), db.insert, "items", { [name] = 1 })
    must_not_work("update " .. name:sub(1, 20), db.update, "items", { set = { [name] = 1 }, where = { n = 1 } })
    must_not_work("aggregate " .. name:sub(1, 20), function() return db.query("items", { columns = { db.agg_sum(name, "s") } }) end)
  end
  for _, alias in ipairs({ 'x" FROM plugins --', "a b", "" , "x;" }) do
    must_not_work("alias " .. alias, function() return db.query("items", { columns = { db.agg_sum("n", alias) } }) end)
  end
  return { json = { refused = true } }
end, { public = true })
