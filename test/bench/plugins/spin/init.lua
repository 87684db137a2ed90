-- One of the neighbours from hell that the bench puts beside a good plugin.
plugin_info = {
  name = "spin",
  version = "1.0.0",
  description = "Never leaves a Lua loop.",
  author = "modulacms contributors",
  license = "MIT",
}

http.handle("GET", "/offend", function()
  while true do
  end
end, { public = true })

-- One good answer now and then keeps the circuit breaker from ending the experiment.
http.handle("GET", "/rest", function()
  return { status = 204 }
end, { public = true })
