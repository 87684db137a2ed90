-- id: F07
-- title: URLs that read like one host and mean another are refused or mean what is checked
-- expect: refused

http.handle("GET", "/attack", function(req)
  local urls = {
    "https://good.example@127.0.0.1/", "https://127.0.0.1#@good.example/", "https://127.0.0.1\\@good.example/",
    "https://127.0.0.1?@good.example/", "https://127.0.0.1/@good.example", "https://good.example:443@127.0.0.1/",
    "https://127.0.0.1%00.good.example/", "https://127.0.0.1\0.good.example/", "https://127.0.0.1\t/", "https://127.0.0.1\n/",
    " https://127.0.0.1/", "https:127.0.0.1", "https:/127.0.0.1", "https:\\\\127.0.0.1", "https://127.0.0.1.", "https://localhost./",
    "https://loc\194\173alhost/", "https://ⓛocalhost/", "//127.0.0.1/", "https:///127.0.0.1/", "https://127.0.0.1:443:80/",
    "https://[::1]@good.example:443/", "https://\255/", "https://" .. ("a"):rep(10000) .. ".example/",
  }
  local reached = {}
  for _, url in ipairs(urls) do
    local ok, res = pcall(request.get, url, { timeout = 1 })
    if ok and (not res.error or res.status) then reached[#reached + 1] = url end
  end
  return { json = { refused = #reached == 0, reached = reached } }
end, { public = true })
