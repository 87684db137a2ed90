import { test } from 'node:test'
import { plugin } from '../helpers/create-host.js'
import { assertPassed, useDemo } from '../helpers/plugin-tests.js'

const hooks = `
local function check(row)
  if row.title == "" then error("a title is needed") end
  if row._old and row._old.title ~= row.title then return { set = { renamed = true } } end
end
for _, event in ipairs({ "create", "update", "delete", "publish", "archive" }) do
  hooks.on("before_" .. event, "content_data", check)
  hooks.on("after_" .. event, "content_data", function(row)
    if row.title == "broken" then error("cannot note it") end
    db.insert("seen", { event = row._event, title = row.title })
  end)
end
hooks.on("before_read", "content_data", function(read)
  if read.slug == "gone" then return { status = 410, json = { gone = true } } end
  read._word = "kept"
end)
hooks.on("after_read", "content_data", function(read)
  return { headers = { ["x-word"] = read._word } }
end)
function on_init()
  db.define_table("seen", { columns = { { name = "event", type = "text" }, { name = "title", type = "text" } } })
end`

const outbound = `
request.register("api.example.com", { description = "rates" })
http.handle("GET", "/rates", function()
  local answer = request.get("https://api.example.com/rates?base=eur", { parse_json = true, headers = { ["X-A"] = "b" } })
  return { json = { status = answer.status, rate = answer.json and answer.json.usd, error = answer.error } }
end, { public = true })`

const metrics = `
local orders = metrics.counter("orders_total", { labels = { "status" } })
local depth = metrics.gauge("depth")
http.handle("POST", "/orders", function(req)
  orders:inc(1, { status = "new" })
  depth:set(3)
  return { status = 201 }
end, { public = true })`

const gateway = `
http.handle("GET", "/limited", function()
  local allowed = gateway.rate_limit("all", { limit = 2, window = "1h" })
  return { status = allowed and 200 or 429 }
end, { public = true })
http.handle("GET", "/seen", function() return { json = gateway.cache.get("seen") } end, { public = true })
`

const results = useDemo({
  'demo/init.lua': plugin(
    'demo',
    [hooks, outbound, metrics, gateway].join('\n'),
    '1.0.0',
    'gateway_access = { "log:read", "stats:read", "shell:write" }',
  ),
  'demo/test/hooks.test.lua': `
local events = { "create", "update", "delete", "publish", "archive" }

function test_before_hooks()
  for _, event in ipairs(events) do
    local refusal, row = test.fire_hook("before_" .. event, "content_data", { title = "fine" })
    test.assert_nil(refusal, event)
    test.assert_eq("fine", row and row.title, event)
    test.assert_contains(test.fire_hook("before_" .. event, "content_data", { title = "" }), "demo", event)
  end
  local _, row = test.fire_hook("before_update", "content_data", { title = "b", _old = { title = "a" } })
  test.assert_eq(true, row and row.renamed)
end
function test_after_hooks()
  for _, event in ipairs(events) do
    test.assert_nil(test.fire_hook("after_" .. event, "content_data", { title = event }))
  end
  test.assert_eq({}, test.wait_hooks())
  local seen = {}
  for _, row in ipairs(db.query("seen")) do seen[row.title] = row.event end
  for _, event in ipairs(events) do test.assert_eq("after_" .. event, seen[event]) end
end
function test_after_hooks_that_fail()
  test.fire_hook("after_create", "content_data", { title = "broken" })
  local errors = test.wait_hooks()
  test.assert_eq(1, #errors)
  test.assert_contains(errors[1], "cannot note it")
  test.assert_eq(0, db.count("seen"))
end
function test_read_hooks()
  local response = test.fire_hook("before_read", "content_data", { slug = "gone" })
  test.assert_eq(410, response and response.status)
  local answer, state, problem = test.fire_hook("before_read", "content_data", { slug = "home" })
  test.assert_nil(answer)
  test.assert_nil(problem)
  local headers = test.fire_hook("after_read", "content_data", { slug = "home" }, state or {})
  test.assert_eq("kept", headers and headers["x-word"])
end
function test_misuse()
  test.assert_error(function() test.fire_hook("before_insert", "content_data", {}) end, "invalid hook event")
  test.assert_error(function() test.fire_hook("after_read", "content_data", {}) end, "state")
end`,
  'demo/test/rates.test.lua': `
local function rates() return test.request("GET", "/api/v1/plugins/demo/rates").json end

function test_mocked()
  test.mock_request("get", "api.example.com/rates", { json = { usd = 1.5 } })
  test.mock_request("get", "api.example.com/rates", { status = 500 })
  for _ = 1, 10 do
    local seen = rates()
    test.assert_eq({ 200, 1.5 }, { seen.status, seen.rate })
  end
  local requests = test.requests()
  test.assert_eq(10, #requests)
  test.assert_eq("https://api.example.com/rates?base=eur", requests[1].url)
  test.assert_eq({ "GET", "b", true }, { requests[1].method, requests[1].headers["x-a"], requests[1].mocked })
end
function test_failing()
  test.mock_request("GET", "api.example.com/rates", { status = 503, body = "closed" })
  test.assert_eq(503, rates().status)
end
function test_unmatched()
  test.mock_request("POST", "api.example.com/rates")
  test.assert_contains(rates().error, "mock")
  test.assert_eq(false, test.requests()[1].mocked)
end
function test_from_the_test_itself()
  test.mock_request("POST", "api.example.com/a", { status = 201 })
  test.assert_eq(201, request.post("https://api.example.com/a", { json = { x = 1 } }).status)
  test.assert_eq('{"x":1}', test.requests()[1].body)
  test.assert_contains(request.get("https://other.example.com/").error, "not approved")
end`,
  'demo/test/metrics.test.lua': `
local function shown()
  local answer = test.request("GET", "/metrics")
  test.assert_eq(200, answer.status)
  return answer.body
end
local function order()
  test.assert_eq(201, test.request("POST", "/api/v1/plugins/demo/orders").status)
end
function test_two()
  order() order()
  test.assert_contains(shown(), 'modulacms_plugin_demo__orders_total{plugin="demo",status="new"} 2\\n')
  test.assert_contains(shown(), 'modulacms_plugin_demo__depth{plugin="demo"} 3\\n')
end
function test_one()
  test.assert_contains(shown(), 'modulacms_plugin_demo__depth{plugin="demo"} 0\\n')
  order()
  test.assert_contains(shown(), 'modulacms_plugin_demo__orders_total{plugin="demo",status="new"} 1\\n')
end
function test_declaring_late()
  local declared, message = pcall(metrics.counter, "late")
  test.assert_eq(false, declared)
  test.assert_contains(message, "module scope")
end`,
  'demo/test/gateway.test.lua': `
local function status(path) return test.request("GET", "/api/v1/plugins/demo" .. path, { auth = "none" }).status end

function test_limits()
  test.assert_eq(200, status("/limited"))
  test.assert_eq(true, (gateway.rate_limit("all", { limit = 2, window = "1h" })))
  test.assert_eq(429, status("/limited"))
end
function test_limits_anew()
  test.assert_eq(200, status("/limited"))
  test.assert_error(function() gateway.rate_limit("all", {}) end, "the limit must be")
end
function test_cache()
  test.assert_nil(gateway.cache.get("seen"))
  gateway.cache.set("seen", { n = 1 })
  test.assert_eq({ n = 1 }, test.request("GET", "/api/v1/plugins/demo/seen", { auth = "none" }).json)
end
function test_cache_anew()
  test.assert_nil(gateway.cache.get("seen"))
end
function test_log_and_figures()
  status("/limited")
  local found = gateway.log.query({ path = "/limited" })
  test.assert_eq(1, #found)
  test.assert_eq(200, found[1].status)
  test.assert_eq(1, gateway.stats().requests.total)
end
local function page(host)
  local headers = { host = host, ["sec-fetch-dest"] = "document" }
  return test.request("GET", "/reports/all", { auth = "none", headers = headers })
end
function test_shell()
  test.assert_eq(404, page("other.test").status)
  test.assert_contains(page("shell.test").body, "<title>shell</title>")
  test.assert_eq(true, (gateway.shell.exclude("reports")))
  test.assert_eq(false, (gateway.shell.exclude("reports")))
  test.assert_eq(404, page("shell.test").status)
  local before = gateway.stats().shell.excludes
  test.assert_eq(true, (gateway.shell.include("reports")))
  test.assert_eq(before - 1, gateway.stats().shell.excludes)
  test.assert_eq(200, page("shell.test").status)
end
`,
})

test('hooks of every kind can be fired, and after-hooks be waited for', () => {
  assertPassed(results('hooks'))
})

test('outbound requests are answered by mocks and never sent', () => {
  assertPassed(results('rates'))
})

test('metrics are there as in a host: tests use them and read what they say, each from zero', () => {
  assertPassed(results('metrics'))
})

test('limits, cache, log, figures and shell are there in tests, anew for each', () => {
  assertPassed(results('gateway'))
})
