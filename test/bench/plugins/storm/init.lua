-- One of the neighbours from hell that the bench puts beside a good plugin.
plugin_info = {
  name = "storm",
  version = "1.0.0",
  description = "Answers, but works a fifth of a second for each answer.",
  author = "modulacms contributors",
  license = "MIT",
}

http.handle("GET", "/offend", function()
  local sum = 0
  for i = 1, 8000000 do
    sum = (sum + i) % 1000003
  end
  return { json = { sum = sum } }
end, { public = true })

-- One good answer now and then keeps the circuit breaker from ending the experiment.
http.handle("GET", "/rest", function()
  return { status = 204 }
end, { public = true })
