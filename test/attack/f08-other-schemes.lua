-- id: F08
-- title: Nothing but https is spoken
-- expect: refused

http.handle("GET", "/attack", function(req)
  local urls = {
    "file:///etc/passwd", "file://localhost/etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "ftp://127.0.0.1/", "http://example.com/",
    "unix:/var/run/docker.sock", "http+unix://%2Fvar%2Frun%2Fdocker.sock/info", "data:text/plain,x", "blob:https://example.com/x",
    "ws://example.com/", "wss://example.com/", "dict://127.0.0.1/", "ldap://127.0.0.1/", "javascript:1", "jar:https://example.com!/x",
    "node:fs", "HTTP://127.0.0.1/", "view-source:https://127.0.0.1/",
  }
  local reached = {}
  for _, url in ipairs(urls) do
    local ok, res = pcall(request.get, url)
    if ok and not (res.error and res.error:find("is not allowed", 1, true)) then reached[#reached + 1] = url end
  end
  return { json = { refused = #reached == 0, reached = reached } }
end, { public = true })
