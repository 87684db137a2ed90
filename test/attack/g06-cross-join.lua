-- id: G06
-- title: A join that multiplies rows is stopped
-- expect: stopped

function on_init()
  db.define_table("items", { columns = { { name = "name", type = "text" }, { name = "n", type = "integer" } } })
end

http.handle("GET", "/attack", function(req)
  for batch = 1, 4 do
    local rows = {}
    for i = 1, 500 do rows[i] = { "x", 1 } end
    assert(not select(2, db.insert_many("items", { "name", "n" }, rows)))
  end
  local join = { { table = "items", local_col = "n", foreign_col = "n" }, { table = "items", local_col = "n", foreign_col = "n" } }
  while true do
    local ok, rows, err = pcall(db.query, "items", { columns = { db.agg_count("*", "c") }, joins = join })
    if not ok or rows == nil then error("stopped: " .. tostring(err or rows)) end
  end
end, { public = true })
