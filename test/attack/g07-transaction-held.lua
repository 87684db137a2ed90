-- id: G07 G06
-- title: A transaction held for long is cut off
-- expect: contained
-- after: the next call answers {"clean":true}

function on_init()
  db.define_table("items", { columns = { { name = "name", type = "text" }, { name = "n", type = "integer" } } })
end

http.handle("GET", "/attack", function(req)
  db.transaction(function()
    db.insert("items", { name = "held", n = 1 })
    for _ = 1, 1000000000 do end
  end)
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = db.count("items", { where = { name = "held" } }) == 0 } }
end, { public = true })
