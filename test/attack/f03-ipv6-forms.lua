-- id: F03
-- title: IPv6 addresses that are local or hold an IPv4 address are not reached
-- expect: refused

http.handle("GET", "/attack", function(req)
  local hosts = {
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fe80::1]", "[fe80::1%eth0]", "[fe80::1%25eth0]",
    "[fc00::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[100::1]", "[::ffff:0:127.0.0.1]",
  }
  local reached = {}
  for _, host in ipairs(hosts) do
    local ok, res = pcall(request.get, "https://" .. host .. "/")
    if ok and not (res.error and res.error:find("private or reserved", 1, true)) then reached[#reached + 1] = host end
  end
  return { json = { refused = #reached == 0, reached = reached } }
end, { public = true })
