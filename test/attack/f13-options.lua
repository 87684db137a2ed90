-- id: F13 F15
-- title: A plugin can neither turn off the check of certificates nor give itself more time or size
-- expect: refused

http.handle("GET", "/attack", function(req)
  local taken = {}
  local options = {
    "rejectUnauthorized", "verify", "insecure", "ca", "agent", "dispatcher", "proxy", "lookup", "servername", "maxRedirections",
    "follow", "maxResponseSize", "signal", "address", "__proto__", "constructor",
  }
  for _, name in ipairs(options) do
    if pcall(request.get, "https://127.0.0.1/", { [name] = false }) then taken[#taken + 1] = name end
  end
  for _, seconds in ipairs({ "1e9", {}, 0/0 }) do
    if pcall(request.get, "https://127.0.0.1/", { timeout = seconds }) then taken[#taken + 1] = "timeout" end
  end
  for _, seconds in ipairs({ math.huge, -math.huge, 1e308, -1, 0 }) do
    local res = request.get("https://127.0.0.1/", { timeout = seconds })
    if not res.error then taken[#taken + 1] = "timeout " .. seconds end
  end
  return { json = { refused = #taken == 0, taken = taken } }
end, { public = true })
