-- One of the neighbours from hell that the bench puts beside a good plugin.
plugin_info = {
  name = "recurse",
  version = "1.0.0",
  description = "Calls itself until something gives way.",
  author = "modulacms contributors",
  license = "MIT",
}

local function deeper(n)
  return 1 + deeper(n + 1)
end

http.handle("GET", "/offend", function()
  for _ = 1, 200 do
    pcall(deeper, 1)
  end
  return { json = deeper(1) }
end, { public = true })

-- One good answer now and then keeps the circuit breaker from ending the experiment.
http.handle("GET", "/rest", function()
  return { status = 204 }
end, { public = true })
