-- What the bench measures: a small JSON answer, and the same with one row read by its id.
plugin_info = {
  name = "bench",
  version = "1.0.0",
  description = "Routes that the bench compares with the same routes elsewhere.",
  author = "modulacms contributors",
  license = "MIT",
}

local ROWS = 500

http.handle("GET", "/hello/{name}", function(req)
  return { json = { count = 3, message = "hello, " .. req.params.name, ok = true } }
end, { public = true })

http.handle("GET", "/items/{id}", function(req)
  local item = db.query_one("items", { where = { id = req.params.id } })
  if not item then
    return { status = 404, json = { error = "no such item" } }
  end
  return { json = item }
end, { public = true })

function on_init()
  db.define_table("items", {
    columns = {
      { name = "title", type = "text", not_null = true },
      { name = "amount", type = "integer", not_null = true },
    },
  })
  if db.exists("items") then
    return
  end
  local done, problem = db.transaction(function()
    for i = 1, ROWS do
      local _, reason = db.insert("items", { id = "item-" .. i, title = "Item number " .. i, amount = i })
      if reason then
        error(reason)
      end
    end
  end)
  if not done then
    error(problem)
  end
end
