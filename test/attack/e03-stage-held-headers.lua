-- id: E03 E18
-- title: Stages neither say who sends a request, nor how long it is, nor where it comes from
-- expect: refused

local held = {
  "Authorization", "COOKIE", "host", "X-Identity", "x_identity", "Content-Length", "content_length", "Transfer-Encoding",
  "TRANSFER_encoding", "Connection", "Upgrade", "TE", "Proxy-Authorization", "X-Forwarded-For", "X_Forwarded_For", "X-Real-IP",
  "Forwarded", "Origin", "Sec-Fetch-Dest",
}
for stage, name in ipairs(held) do
  gateway.on_request(function()
    return { request = { headers = { [name] = "injected" }, path = "/api/v1/plugins/bystander/ping" } }
  end, { paths = { "/api/v1/plugins/attack*/**" }, fail = "open", name = "stage-" .. stage })
end

http.handle("GET", "/attack", function(req)
  for name, value in pairs(req.headers) do
    if value:find("injected", 1, true) then error("escaped: " .. name, 0) end
  end
  return { json = { refused = true } }
end, { public = true })
