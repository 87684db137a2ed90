-- id: G06 D01
-- title: Reading all rows for ever is stopped
-- expect: stopped

function on_init()
  db.define_table("items", { columns = { { name = "name", type = "text" }, { name = "n", type = "integer" } } })
end

http.handle("GET", "/attack", function(req)
  local rows = {}
  for i = 1, 900 do rows[i] = { ("x"):rep(1000), i } end
  db.insert_many("items", { "name", "n" }, rows)
  local kept = {}
  while true do
    local ok, found = pcall(db.query, "items", { limit = 10000 })
    if ok then kept[#kept + 1] = found end
  end
end, { public = true })
