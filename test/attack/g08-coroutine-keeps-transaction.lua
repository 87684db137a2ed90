-- id: G07 A35
-- title: A coroutine cannot keep a transaction open
-- expect: contained
-- after: the next call answers {"clean":true}

function on_init()
  db.define_table("items", { columns = { { name = "name", type = "text" }, { name = "n", type = "integer" } } })
end

http.handle("GET", "/attack", function(req)
  local thread = coroutine.create(function()
    db.transaction(function()
      db.insert("items", { name = "half", n = 1 })
      coroutine.yield()
    end)
  end)
  coroutine.resume(thread)
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  local _, err = db.insert("items", { name = "whole", n = 2 })
  return { json = { clean = err == nil and db.count("items", { where = { name = "half" } }) == 0 } }
end, { public = true })
