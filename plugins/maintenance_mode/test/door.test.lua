local state = "/api/v1/plugins/maintenance_mode/state"
-- Nothing serves this path, so that 404 says: the door was open.
local place = "/elsewhere/x"

local function close(more)
  local body = more or {}
  body.on = true
  return test.request("PUT", state, { body = body })
end

local function get(path, headers, method)
  return test.request(method or "GET", path, { headers = headers, auth = "none" })
end

function test_it_is_open_until_somebody_closes_it_and_open_again_afterwards()
  test.assert_eq(404, get(place).status)
  test.assert_eq(200, close().status)
  test.assert_eq(503, get(place).status)
  test.assert_eq(200, test.request("PUT", state, { body = { on = false } }).status, "the switch itself stays open")
  test.assert_eq(404, get(place).status)
end

function test_programs_get_json_and_browsers_a_page()
  close({ text = "Back at <5>", retry_after = 60 })
  local plain = get(place)
  test.assert_eq("MAINTENANCE", plain.json.code)
  test.assert_eq("60", plain.headers["retry-after"])
  local page = get(place, { accept = "text/html,*/*;q=0.8" })
  test.assert_eq(503, page.status)
  test.assert_contains(page.headers["content-type"], "text/html")
  test.assert_contains(page.body, "Back at &lt;5&gt;")
  test.assert_eq("", get(place, nil, "HEAD").body)
end

function test_listed_addresses_and_paths_come_in()
  close({ allow_paths = { "/elsewhere" } })
  test.assert_eq(404, get("/elsewhere").status)
  test.assert_eq(404, get("/elsewhere/deeper/x").status)
  test.assert_eq(404, get("/%65lsewhere/x").status, "the same path in other letters")
  test.assert_eq(503, get("/elsewhere-not").status)
  close({ allow_paths = json.array(), allow_ips = { "127.0.0.1" } })
  test.assert_eq(404, get("/other").status)
end

function test_the_administration_and_health_are_never_closed()
  close()
  test.assert_eq(200, test.request("GET", "/api/v1/admin/plugins").status)
  test.assert_eq(200, get("/health").status)
end

function test_only_an_admin_sees_and_turns_the_switch()
  test.assert_eq(401, test.request("PUT", state, { body = { on = true }, auth = "none" }).status)
  test.assert_eq(403, test.request("PUT", state, { body = { on = true }, auth = "viewer" }).status)
  test.assert_eq(403, test.request("GET", state, { auth = "viewer" }).status)
  test.assert_eq(404, get(place).status)
end

function test_what_is_no_state_changes_nothing()
  for _, body in ipairs({
    {}, { on = "yes" }, { on = true, txt = "x" }, { on = true, text = 7 }, { on = true, retry_after = 0 },
    { on = true, retry_after = 1.5 }, { on = true, allow_ips = { "not one" } }, { on = true, allow_ips = "127.0.0.1" },
    { on = true, allow_paths = { "/" } }, { on = true, allow_paths = { "x" } }, { on = true, allow_paths = { a = "/x" } },
  }) do
    test.assert_eq(422, test.request("PUT", state, { body = body }).status, json.encode(body))
  end
  test.assert_eq(404, get(place).status)
end

function test_what_is_not_given_stays()
  close({ text = "A", allow_ips = { "::1" } })
  local seen = test.request("PUT", state, { body = { on = true, retry_after = 9 } }).json
  test.assert_eq({ on = true, text = "A", retry_after = 9, allow_ips = { "::1" }, allow_paths = json.array() }, seen)
end
