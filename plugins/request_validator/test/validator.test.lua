-- Nothing serves these paths, so that 404 says: the stage has let it pass.
local place = "/api/v1/elsewhere"
local content = "/api/v1/content/nothing/of/this"

local rules = require("settings").rules

local function status(method, path, headers, body)
  return test.request(method, path, { headers = headers, body = body, auth = "none" }).status
end

function test_what_breaks_no_rule_goes_on()
  test.assert_eq(404, status("GET", place))
  test.assert_eq(404, status("POST", place, {}, { a = 1 }))
end

function test_forbidden_headers_are_refused_in_any_case()
  for _, name in ipairs({ "x-original-url", "X-Original-URL", "X-HTTP-Method-Override" }) do
    local response = test.request("GET", place, { headers = { [name] = "" } })
    test.assert_eq(400, response.status, name)
    test.assert_eq("HEADER_FORBIDDEN", response.json.code)
  end
end

function test_no_spelling_of_a_path_gets_around_its_rules()
  for _, path in ipairs({ "/api%2Fv1/elsewhere", "/api;a=b/v1/elsewhere", "//api/v1/elsewhere" }) do
    test.assert_eq(400, status("GET", path, { ["x-original-url"] = "/x" }), path)
  end
  for _, path in ipairs({ "/api/v1%2Fcontent/x", "/api/v1/content;a/x", "/api//v1/content/x" }) do
    test.assert_eq(415, status("POST", path, { ["content-type"] = "text/x-shellscript" }, "x"), path)
  end
end

function test_too_many_and_too_large_heads_are_refused()
  local many = {}
  for n = 1, 70 do
    many["x-" .. n] = "1"
  end
  test.assert_eq(431, status("GET", place, many))
  test.assert_eq(431, status("GET", place, { ["x-large"] = ("x"):rep(9000) }))
end

function test_bodies_are_measured_by_what_they_say_of_themselves()
  test.assert_eq(413, status("POST", place, { ["content-length"] = "10485761" }))
  test.assert_eq(400, status("POST", place, { ["content-length"] = "0x10" }))
  local response = test.request("POST", place, { headers = { ["transfer-encoding"] = "chunked" } })
  test.assert_eq(411, response.status)
  test.assert_eq("LENGTH_REQUIRED", response.json.code)
end

function test_types_are_compared_without_parameters_and_case()
  local function sent(type)
    return status("POST", content, { ["content-type"] = type }, "{}")
  end
  test.assert_neq(415, sent("Application/JSON; charset=utf-8"))
  test.assert_neq(415, sent("image/png"))
  for _, type in ipairs({ "text/plain", "application/jsonx", "image", "images/png", "text/plain; application/json" }) do
    test.assert_eq(415, sent(type), type)
  end
end

function test_a_rule_is_for_its_methods_and_not_for_preflights()
  test.assert_neq(415, status("DELETE", content, { ["content-type"] = "text/plain" }, "x"))
  local asks = { ["access-control-request-method"] = "POST", ["x-original-url"] = "/x" }
  test.assert_neq(400, status("OPTIONS", place, asks))
  test.assert_eq(400, status("OPTIONS", place, { ["x-original-url"] = "/x" }), "this is none")
end

function test_required_headers()
  local check = require("validator").check
  rules[#rules + 1] = { path = "/api/strict", required = { "x-client" } }
  local function verdict(path, headers)
    return check({ method = "GET", path = path, loose_path = path, headers = headers, header_count = 1, header_bytes = 1 })
  end
  test.assert_eq(400, verdict("/api/strict", {}).status)
  test.assert_eq(400, verdict("/api/strict/x", { ["x-client"] = "" }).status)
  test.assert_nil(verdict("/api/strict/x", { ["x-client"] = "app" }))
  test.assert_nil(verdict("/api/strictly", {}), "another path")
end
