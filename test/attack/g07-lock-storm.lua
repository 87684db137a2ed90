-- id: G07
-- title: Transactions in a loop are counted
-- expect: contained

function on_init()
  db.define_table("items", { columns = { { name = "name", type = "text" }, { name = "n", type = "integer" } } })
end

http.handle("GET", "/attack", function(req)
  for _ = 1, 100000 do
    local ok = pcall(db.transaction, function() db.insert("items", { n = 1 }) end)
    if not ok then break end
  end
  return { json = { refused = true } }
end, { public = true })
