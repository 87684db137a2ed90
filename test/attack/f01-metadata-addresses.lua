-- id: F01
-- title: Metadata services are not reached, by address or by name
-- expect: refused

http.handle("GET", "/attack", function(req)
  local hosts = {
    "169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "[fd00:ec2::254]", "[fe80::a9fe:a9fe]",
    "[::ffff:169.254.169.254]", "metadata.google.internal",
  }
  local reached = {}
  for _, host in ipairs(hosts) do
    for _, scheme in ipairs({ "https", "http" }) do
      local res = request.get(scheme .. "://" .. host .. "/latest/meta-data/", { headers = { ["Metadata-Flavor"] = "Google" } })
      if not res.error or res.status then reached[#reached + 1] = host end
    end
  end
  return { json = { refused = #reached == 0, reached = reached } }
end, { public = true })
