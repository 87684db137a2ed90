local purge = require("purge")
local redaction = require("redaction")
local selection = require("selection")

local base = "/api/v1/plugins/audit_log"
local at = "2026-01-31T12:00:00.123Z"

local function act(fields)
  local row = {
    action = "plugin.reload",
    outcome = "success",
    actor_kind = "user",
    actor_id = "1",
    actor_name = "ann",
    resource_type = "plugin",
    resource_id = "shop",
    details = {},
    client_ip = "127.0.0.1",
    request_id = "r1",
    at = at,
  }
  for key, value in pairs(fields or {}) do
    row[key] = value
  end
  test.fire_hook("after_create", "host_actions", row)
  test.assert_eq({}, test.wait_hooks())
end

local function list(query)
  local answer = test.request("GET", base .. "/events" .. (query or ""))
  test.assert_eq(200, answer.status)
  return answer.json.events, answer.json.next
end

function test_an_action_is_kept_with_all_that_is_known()
  act({ tenant = "acme", details = { code = "X" } })
  local event = list()[1]
  test.assert_eq({
    id = event.id,
    created_at = event.created_at,
    happened_at = "2026-01-31T12:00:00Z",
    tenant_id = "acme",
    actor_type = "user",
    actor_id = "1",
    actor_name = "ann",
    action = "plugin.reload",
    outcome = "success",
    resource_type = "plugin",
    resource_id = "shop",
    details = { code = "X" },
    client_ip = "127.0.0.1",
    request_id = "r1",
  }, event)
end

function test_content_is_kept_by_the_names_of_what_changed()
  test.fire_hook("after_create", "content_data", { id = "7", title = "a secret plan" })
  test.fire_hook("after_update", "content_data", { id = "7", title = "b", _old = { id = "7", title = "a", slug = "x" } })
  test.fire_hook("after_delete", "media", { id = 9 })
  test.assert_eq({}, test.wait_hooks())
  local kept = {}
  for _, event in ipairs(list()) do
    kept[event.action] = event
    test.assert_nil(json.encode(event):find("plan", 1, true))
  end
  test.assert_eq("7", kept["content_data.create"].resource_id)
  test.assert_eq({ "slug", "title" }, kept["content_data.update"].details.columns)
  test.assert_eq("9", kept["media.delete"].resource_id)
end

function test_what_looks_like_a_secret_is_taken_out()
  act({
    details = {
      api_key = "abc",
      nested = { ["Set-Cookie"] = "a=b", list = { { Password = "x" }, "Bearer abc.def-1" } },
      note = "sent eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig and fwt_abc_def",
      token = { deep = "x" },
      count = 3,
    },
  })
  test.assert_eq({
    api_key = "***",
    nested = { ["Set-Cookie"] = "***", list = { { Password = "***" }, "***" } },
    note = "sent *** and ***",
    token = "***",
    count = 3,
  }, list()[1].details)
  test.assert_eq("mk_ is how keys begin", redaction.text("mk_ is how keys begin"))
  test.assert_eq("eyJa.b is no token", redaction.text("eyJa.b is no token"))
end

function test_no_text_takes_long_to_look_through()
  act({ action = "shop.a.b", details = { one = ("eyJ"):rep(10000), two = ("-eyJ"):rep(7000), three = ("eyJ."):rep(7000) } })
  test.assert_eq("shop.a.b", list()[1].action)
end

function test_events_with_very_many_values_can_be_read()
  local many = {}
  for n = 1, 10000 do
    many[n] = json.array({})
  end
  local details = redaction.clean({ many = many, plugin = "shop", deep = { { { {} } } } })
  test.assert_eq("all but 500 values", details.left_out)
  test.assert_eq("shop", details.plugin)
  for n = 1, 101 do
    db.insert("events", {
      delivery = "many" .. n, happened_at = "2026-01-31T12:00:00Z", actor_type = "user", action = "shop.a.b",
      outcome = "success", resource_type = "a", details = json.encode(details),
    })
  end
  test.assert_eq(100, #list("?limit=100"))
end

function test_a_delivery_that_comes_twice_leaves_one_row()
  local events = require("events")
  local data = {
    _delivery = "7",
    action = "a.b",
    outcome = "success",
    actor_kind = "user",
    resource_type = "a",
    at = at,
  }
  events.note_action(data)
  events.note_action(data)
  test.assert_eq(1, db.count("events", { where = { delivery = "7" } }))
end

function test_filters_and_pages()
  for n = 1, 5 do
    act({ action = n == 3 and "user.delete" or "user.create", actor_id = tostring(n), resource_type = "user", resource_id = "u" .. n })
  end
  test.assert_eq(1, #list("?action=user.delete"))
  test.assert_eq("4", list("?actor=4")[1].actor_id)
  test.assert_eq("u2", list("?resource_type=user&resource_id=u2")[1].resource_id)
  test.assert_eq(0, #list("?resource_type=plugin"))
  test.assert_eq(5, #list("?from=2026-01-31T12:00:00Z&to=2026-01-31T12:00:01Z"))
  test.assert_eq(0, #list("?to=2026-01-31T12:00:00Z"))
  local seen, query = {}, "?limit=2"
  repeat
    local page, cursor = list(query)
    for _, event in ipairs(page) do
      seen[#seen + 1] = event.actor_id
    end
    query = cursor and "?limit=2&cursor=" .. cursor
  until not query
  test.assert_eq({ "5", "4", "3", "2", "1" }, seen)
  for _, wrong in ipairs({ "limit=0", "limit=101", "from=yesterday", "to=2026-01-31", "tenant_id=other", "x=1" }) do
    test.assert_eq(400, test.request("GET", base .. "/events?" .. wrong).status, wrong)
  end
end

function test_a_tenant_sees_its_own()
  local events = require("events")
  act({ tenant = "a" })
  act({ tenant = "b" })
  act()
  local seen = events.list({ query = {}, identity = { tenant_id = "b" } }).json.events
  test.assert_eq(1, #seen)
  test.assert_eq("b", seen[1].tenant_id)
  test.assert_eq(3, #list())
end

function test_old_events_are_removed_in_chunks_and_the_rest_stays()
  local rows = {}
  for n = 1, 250 do
    rows[n] = { "old-" .. n, db.timestamp_ago(91 * 24 * 60 * 60), "user", "a.b", "success", "a", "{}" }
  end
  local columns = { "delivery", "happened_at", "actor_type", "action", "outcome", "resource_type", "details" }
  for first = 1, 250, 50 do
    local _, reason = db.insert_many("events", columns, { table.unpack(rows, first, first + 49) })
    test.assert_nil(reason)
  end
  rows[1][1], rows[1][2] = "young", db.timestamp_ago(89 * 24 * 60 * 60)
  db.insert_many("events", columns, { rows[1] })
  purge.begin()
  -- What is left is the message of tomorrow, and that of the chain that has ended.
  test.assert(test.wait_messages() <= 2)
  test.assert_eq(1, db.count("events"))
  test.assert_eq(250, db.query_one("retention").removed)
end

function test_who_may_read()
  test.assert_eq(401, test.request("GET", base .. "/events", { auth = "none" }).status)
  test.assert_eq(403, test.request("GET", base .. "/events", { auth = "viewer" }).status)
  for _, method in ipairs({ "POST", "PUT", "DELETE", "PATCH" }) do
    local status = test.request(method, base .. "/events").status
    test.assert(status == 404 or status == 405, method .. " answers " .. status)
  end
end

function test_patterns_of_actions()
  for _, case in ipairs({
    { "*", "a.b", true },
    { "a.b", "a.b", true },
    { "a.b", "a.bc", false },
    { "session.*", "session.open", true },
    { "session.*", "sessions.open", false },
    { "*.delete", "user.delete", true },
    { "*.delete", "user.delete.all", false },
    { "a*b*c", "a.x.b.y.c", true },
    { "a*b*c", "a.c.b", false },
    { "a*a", "a", false },
    { "%w*", "abc", false },
  }) do
    test.assert_eq(case[3], selection.matches(case[1], case[2]), case[1] .. " " .. case[2])
  end
end
