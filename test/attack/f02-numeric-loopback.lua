-- id: F02
-- title: Loopback is not reached in any spelling of its number
-- expect: refused

http.handle("GET", "/attack", function(req)
  local hosts = {
    "127.0.0.1", "2130706433", "0x7f000001", "0x7f.0x0.0x0.0x1", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "0",
    "0.0.0.0", "0x0", "127.255.255.254", "127%2e0%2e0%2e1", "①②⑦.⓪.⓪.①", "127。0。0。1", "localhost",
  }
  local reached = {}
  for _, host in ipairs(hosts) do
    local ok, res = pcall(request.get, "https://" .. host .. "/")
    if ok and (not res.error or res.status) then reached[#reached + 1] = host end
  end
  return { json = { refused = #reached == 0, reached = reached } }
end, { public = true })
