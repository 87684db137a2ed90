-- id: F09
-- title: Ports of other services, and of the host itself, are not asked
-- expect: refused

http.handle("GET", "/attack", function(req)
  local reached = {}
  for _, port in ipairs({ 0, 1, 22, 25, 53, 80, 110, 389, 3306, 5432, 6379, 8080, 9200, 11211, 27017, 65535 }) do
    local res = request.get("https://1.1.1.1:" .. port .. "/")
    if not (res.error and res.error:find("port " .. port .. " is not allowed", 1, true)) then reached[#reached + 1] = port end
  end
  return { json = { refused = #reached == 0, reached = reached } }
end, { public = true })
