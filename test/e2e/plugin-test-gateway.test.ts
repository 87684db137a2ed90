import { test } from 'node:test'
import { plugin } from '../helpers/create-host.js'
import { assertPassed, runDemo } from '../helpers/plugin-tests.js'

test('limits, cache, log, figures and shell are there in tests, anew for each', async (t) => {
  const report = await runDemo(t, {
    'demo/init.lua': plugin(
      'demo',
      `
http.handle("GET", "/limited", function()
  local allowed = gateway.rate_limit("all", { limit = 2, window = "1h" })
  return { status = allowed and 200 or 429 }
end, { public = true })
http.handle("GET", "/seen", function() return { json = gateway.cache.get("seen") } end, { public = true })
`,
      '1.0.0',
      'gateway_access = { "log:read", "stats:read", "shell:write" }',
    ),
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
  assertPassed(report)
})
