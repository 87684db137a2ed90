-- id: G06
-- title: A join that multiplies rows is stopped
-- expect: stopped

function on_init()
  for _, name in ipairs({ "items", "others", "thirds" }) do
    db.define_table(name, { columns = { { name = "name", type = "text" }, { name = "n", type = "integer" } } })
  end
end

http.handle("GET", "/attack", function(req)
  for _, name in ipairs({ "items", "others", "thirds" }) do
    for _ = 1, 4 do
      local rows = {}
      for i = 1, 200 do rows[i] = { "x", 1 } end
      local _, err = db.insert_many(name, { "name", "n" }, rows)
      if err then error(err) end
    end
  end
  local join = { { table = "others", local_col = "n", foreign_col = "n" }, { table = "thirds", local_col = "name", foreign_col = "name" } }
  while true do
    local rows, err = db.query("items", { columns = { db.agg_count("*", "c") }, joins = join })
    if rows == nil then error("stopped: " .. tostring(err)) end
  end
end, { public = true })
