-- id: G05 G06
-- title: A LIKE pattern of many wildcards is refused or bounded
-- expect: contained

function on_init()
  db.define_table("items", { columns = { { name = "name", type = "text" }, { name = "n", type = "integer" } } })
end

http.handle("GET", "/attack", function(req)
  for _ = 1, 20 do db.insert("items", { name = ("a"):rep(50000), n = 1 }) end
  for _ = 1, 100 do
    local rows, err = db.query("items", { where = { name = db.like(("%a"):rep(2000) .. "b") } })
    if rows == nil and err then return { json = { refused = true } } end
  end
  return { json = { refused = true } }
end, { public = true })
