-- id: E05 E06 E17
-- title: Stages lead no request to the administration, or to a path that can be read in two ways
-- expect: refused

local targets = {
  "/api/v1/admin/plugins", "/api/v1/%61dmin/plugins", "/gateway/api/logs", "/metrics", "/health", "/keyval/api/keys",
  "//evil.example/x", "http://evil.example/", "evil", "", "*", "/a/../api/v1/admin/plugins", "/a/..;/x", "/%2e%2e/x", "/a\\b",
  "/a#b", "/a b", "/a\r\nX-Injected: 1", "/a\0", "/%", "/%ff", "/" .. ("a"):rep(5000),
}
for stage = 1, 18 do
  gateway.on_request(function()
    return { request = { path = targets[stage] } }
  end, { paths = { "/api/v1/plugins/attack*/**" }, fail = "open", name = "stage-" .. stage })
end

http.handle("GET", "/attack", function(req)
  if not req.path:find("/attack$") then error("escaped: " .. req.path, 0) end
  return { json = { refused = true } }
end, { public = true })
