-- One of the neighbours from hell that the bench puts beside a good plugin.
plugin_info = {
  name = "throw",
  version = "1.0.0",
  description = "Fails each time, with a very long text.",
  author = "modulacms contributors",
  license = "MIT",
}

http.handle("GET", "/offend", function()
  error(("boom "):rep(100000))
end, { public = true })

-- One good answer now and then keeps the circuit breaker from ending the experiment.
http.handle("GET", "/rest", function()
  return { status = 204 }
end, { public = true })
