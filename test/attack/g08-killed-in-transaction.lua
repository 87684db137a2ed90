-- id: G08 G07
-- title: A call that is stopped inside a transaction leaves nothing behind and no lock
-- expect: stopped
-- after: the next call answers {"clean":true}

function on_init()
  db.define_table("items", { columns = { { name = "name", type = "text" }, { name = "n", type = "integer" } } })
end

http.handle("GET", "/attack", function(req)
  db.transaction(function()
    db.insert("items", { name = "half", n = 1 })
    while true do end
  end)
end, { public = true })

http.handle("GET", "/after", function()
  if db.count("items", { where = { name = "half" } }) ~= 0 then return { json = { clean = false } } end
  local _, err = db.insert("items", { name = "whole", n = 2 })
  return { json = { clean = err == nil } }
end, { public = true })
