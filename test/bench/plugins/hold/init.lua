-- One of the neighbours from hell that the bench puts beside a good plugin.
plugin_info = {
  name = "hold",
  version = "1.0.0",
  description = "Takes the write lock of the database and spins with it.",
  author = "modulacms contributors",
  license = "MIT",
}

http.handle("GET", "/offend", function()
  db.transaction(function()
    db.insert("ledger", { note = "held" })
    while true do
    end
  end)
  return { status = 204 }
end, { public = true })

function on_init()
  db.define_table("ledger", { columns = { { name = "note", type = "text" } } })
end

-- One good answer now and then keeps the circuit breaker from ending the experiment.
http.handle("GET", "/rest", function()
  return { status = 204 }
end, { public = true })
