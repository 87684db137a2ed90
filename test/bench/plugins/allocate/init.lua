-- One of the neighbours from hell that the bench puts beside a good plugin.
plugin_info = {
  name = "allocate",
  version = "1.0.0",
  description = "Keeps everything that it can make.",
  author = "modulacms contributors",
  license = "MIT",
}

http.handle("GET", "/offend", function()
  local kept = {}
  while true do
    kept[#kept + 1] = ("x"):rep(1000) .. #kept
  end
end, { public = true })

-- One good answer now and then keeps the circuit breaker from ending the experiment.
http.handle("GET", "/rest", function()
  return { status = 204 }
end, { public = true })
