-- id: E21 E01 E02
-- title: Stages make no answer out of one that is none
-- expect: refused

local many = {}
for i = 1, 10000 do many["x-" .. i] = "v" end
local changes = {
  { status = 101 }, { status = 204, body = "x" }, { status = 304, json = {} }, { status = 99 }, { status = 1000 },
  { status = 0 / 0 }, { status = "200" }, { body = {} }, { headers = { ["x-a"] = "a\nSet-Cookie: admin=1" } },
  { headers = { ["x-b\r\nSet-Cookie"] = "1" } }, { headers = { [""] = "1" } }, { headers = { ["x-c"] = "a\0b" } },
  { headers = { ["x-d"] = ("1"):rep(1000000) } }, { headers = many }, "text", 1, true, { headers = "x" },
}
for stage, change in ipairs(changes) do
  gateway.on_response(function() return change end, { paths = { "/api/v1/plugins/attack*/**" }, name = "stage-" .. stage })
end

http.handle("GET", "/attack", function() return { json = { refused = true } } end, { public = true })
