-- id: E01 E02
-- title: Stages put no broken or countless headers into a request
-- expect: refused

local many = {}
for i = 1, 10000 do many["x-many-" .. i] = "1" end
local attempts = {
  { ["x-a"] = "1\r\nx-injected: 1" }, { ["x-b"] = "1\nx-injected: 1" }, { ["x-c"] = "1\0" }, { ["x-d\r\nx-injected"] = "1" },
  { [""] = "1" }, { ["x e"] = "1" }, { [":path"] = "/admin" }, { ["x-f"] = ("1"):rep(70000) }, { ["x-g"] = "1\1" }, { ["x-h"] = {} },
  { ["x-i"] = true }, { [("x"):rep(70000)] = "1" }, { "x-j" }, "x-k: 1", many,
}

-- A stage that returns what it must not has failed, and these are left out then: nothing of it may remain.
for stage, headers in ipairs(attempts) do
  gateway.on_request(function()
    return { request = { headers = headers, path = "/api/v1/plugins/bystander/ping" } }
  end, { paths = { "/api/v1/plugins/attack*/**" }, fail = "open", name = "stage-" .. stage })
end

http.handle("GET", "/attack", function(req)
  for name in pairs(req.headers) do
    if name:find("x", 1, true) == 1 or name == "" or name == ":path" then error("escaped: " .. name:sub(1, 20), 0) end
  end
  return { json = { refused = true } }
end, { public = true })
