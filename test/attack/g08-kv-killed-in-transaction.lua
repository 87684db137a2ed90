-- id: G08 G07
-- title: A call that is stopped between writes to tables and entries leaves nothing of both behind
-- expect: stopped
-- after: the next call answers {"clean":true}

function on_init()
  db.define_table("items", { columns = { { name = "n", type = "integer" } } })
end

http.handle("GET", "/attack", function(req)
  db.transaction(function()
    db.insert("items", { n = 1 })
    kv.set({ "half" }, 1)
    kv.enqueue({ "half" })
    while true do end
  end)
end, { public = true })

http.handle("GET", "/after", function()
  local result, err = kv.set({ "whole" }, 1)
  local first = result and result.versionstamp == "00000000000000000001"
  local rows, waiting = db.count("items"), kv.queue_stats().total
  return { json = { clean = first and rows == 0 and waiting == 0 and kv.get({ "half" }).value == nil } }
end, { public = true })
