-- One of the neighbours from hell that the bench puts beside a good plugin.
plugin_info = {
  name = "join",
  version = "1.0.0",
  description = "Asks the database for the product of three tables, again and again.",
  author = "modulacms contributors",
  license = "MIT",
}

local TABLES = { "firsts", "seconds", "thirds" }

http.handle("GET", "/offend", function()
  while true do
    db.query("firsts", {
      columns = { db.agg_count("*", "total") },
      joins = {
        { table = "seconds", local_col = "n", foreign_col = "n" },
        { table = "thirds", local_col = "name", foreign_col = "name" },
      },
    })
  end
end, { public = true })

function on_init()
  for _, name in ipairs(TABLES) do
    db.define_table(name, { columns = { { name = "name", type = "text" }, { name = "n", type = "integer" } } })
    if not db.exists(name) then
      local rows = {}
      for i = 1, 800 do
        rows[i] = { "x", 1 }
      end
      db.insert_many(name, { "name", "n" }, rows)
    end
  end
end

-- One good answer now and then keeps the circuit breaker from ending the experiment.
http.handle("GET", "/rest", function()
  return { status = 204 }
end, { public = true })
