-- One of the neighbours from hell that the bench puts beside a good plugin.
plugin_info = {
  name = "flood",
  version = "1.0.0",
  description = "Writes as many log lines and as large an answer as it can.",
  author = "modulacms contributors",
  license = "MIT",
}

http.handle("GET", "/offend", function()
  for i = 1, 5000 do
    log.info(("line %d "):format(i) .. ("y"):rep(1000))
  end
  return { body = ("z"):rep(4000000) }
end, { public = true })

-- One good answer now and then keeps the circuit breaker from ending the experiment.
http.handle("GET", "/rest", function()
  return { status = 204 }
end, { public = true })
