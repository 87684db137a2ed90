-- One of the neighbours from hell that the bench puts beside a good plugin.
plugin_info = {
  name = "pattern",
  version = "1.0.0",
  description = "Backtracks through a pattern for as long as it is let.",
  author = "modulacms contributors",
  license = "MIT",
}

http.handle("GET", "/offend", function()
  local subject = ("a"):rep(20000)
  local found = subject:find(("a*"):rep(12) .. "b")
  return { json = { found = found } }
end, { public = true })

-- One good answer now and then keeps the circuit breaker from ending the experiment.
http.handle("GET", "/rest", function()
  return { status = 204 }
end, { public = true })
