-- id: A30 C39
-- title: The database is closed at module scope
-- expect: refused

local results = {
  (pcall(db.define_table, "early", { columns = { { name = "n", type = "integer" } } })),
  (pcall(db.query, "early")),
  (pcall(db.insert, "early", { n = 1 })),
  (pcall(db.transaction, function() end)),
}

http.handle("GET", "/attack", function(req)
  for index, ok in ipairs(results) do
    if ok then error("escaped: database call " .. index .. " worked at module scope", 0) end
  end
  return { json = { refused = true } }
end, { public = true })
