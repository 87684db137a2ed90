-- id: C36 G19
-- title: Definitions that change without end neither flood the log nor fill the registry
-- expect: contained

function on_init()
  db.define_table("shifting", { columns = { { name = "a", type = "text" } } })
end

http.handle("GET", "/attack", function(req)
  for round = 1, 300 do
    local columns = {}
    for i = 1, 60 do columns[i] = { name = "c" .. round .. "_" .. i .. ("x"):rep(40), type = "text" } end
    pcall(db.define_table, "shifting", { columns = columns })
  end
  return { json = { refused = true } }
end, { public = true })
