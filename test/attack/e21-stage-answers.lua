-- id: E21 E20 E02
-- title: Stages give no answers that are none
-- expect: refused

local answers = {
  { status = 101, body = "" }, { status = 204, body = "x" }, { status = 304, body = "x" }, { status = 99, body = "x" },
  { status = 1000, body = "x" }, { status = 0 / 0, body = "x" }, { status = "200", body = "x" },
  { status = 200, body = {} }, { status = 200, request = { path = "/x" } },
  { status = 200, headers = { ["x-a"] = "a\r\nSet-Cookie: admin=1" }, body = "x" }, { headers = {} }, "text", 1, true,
  { status = 200, headers = { ["x b"] = "x" }, body = "x" },
}
for stage, answer in ipairs(answers) do
  gateway.on_request(function() return answer end, { paths = { "/api/v1/plugins/attack*/**" }, fail = "open", name = "stage-" .. stage })
end

http.handle("GET", "/attack", function() return { json = { refused = true } } end, { public = true })
