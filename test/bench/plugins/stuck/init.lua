-- One of the neighbours from hell that the bench puts beside a good plugin.
plugin_info = {
  name = "stuck",
  version = "1.0.0",
  description = "Gets stuck where no instruction is counted.",
  author = "modulacms contributors",
  license = "MIT",
}

http.handle("GET", "/offend", function()
  local t = setmetatable({}, {})
  getmetatable(t).__call = t
  t()
end, { public = true })

-- One good answer now and then keeps the circuit breaker from ending the experiment.
http.handle("GET", "/rest", function()
  return { status = 204 }
end, { public = true })
