-- id: F14 G07
-- title: No request is sent while a transaction holds its lock
-- expect: refused

http.handle("GET", "/attack", function(req)
  local sent = false
  local reason
  db.transaction(function()
    local ok, res = pcall(request.get, "https://127.0.0.1/")
    sent, reason = ok, res
  end)
  local late = pcall(request.register, "late.example.com")
  return { json = { refused = not sent and not late, reason = tostring(reason) } }
end, { public = true })
