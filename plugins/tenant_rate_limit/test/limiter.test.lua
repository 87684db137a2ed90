local base = "/api/v1/plugins/tenant_rate_limit"
-- Nothing serves this path, so that 404 says: it was allowed.
local place = "/api/v1/elsewhere"

local function get(tenant, path, method)
  return test.request(method or "GET", path or place, { headers = { ["x-tenant-id"] = tenant }, auth = "none" })
end

local function plan(tenant, limit, window)
  return test.request("PUT", base .. "/plans/" .. tenant, { body = { limit = limit, window = window or "1h" } }).status
end

function test_a_tenant_gets_what_its_plan_says_and_is_told_how_it_stands()
  test.assert_eq(200, plan("acme", 2))
  local first = get("acme")
  test.assert_eq(404, first.status)
  test.assert_eq("2", first.headers["x-ratelimit-limit"])
  test.assert_eq("1", first.headers["x-ratelimit-remaining"])
  get("acme")
  local refused = get("acme")
  test.assert_eq(429, refused.status)
  test.assert_eq("TENANT_RATE_LIMITED", refused.json.code)
  test.assert_eq("0", refused.headers["x-ratelimit-remaining"])
  test.assert(tonumber(refused.headers["retry-after"]) > 0)
  test.assert_nil(first.headers["retry-after"])
end

function test_tenants_do_not_share()
  plan("one", 1)
  plan("two", 1)
  test.assert_eq(404, get("one").status)
  test.assert_eq(429, get("one").status)
  test.assert_eq(404, get("two").status)
end

function test_made_up_tenants_share_the_limit_of_their_address()
  local before = tonumber(get("made-up-1").headers["x-ratelimit-remaining"])
  local after = tonumber(get("made-up-2").headers["x-ratelimit-remaining"])
  test.assert_eq(before - 1, after)
end

function test_preflights_are_neither_counted_nor_told_of()
  plan("acme", 5)
  local headers = { ["x-tenant-id"] = "acme", ["access-control-request-method"] = "GET" }
  local preflight = test.request("OPTIONS", place, { headers = headers, auth = "none" })
  test.assert_nil(preflight.headers["x-ratelimit-limit"])
  test.assert_eq("4", get("acme").headers["x-ratelimit-remaining"])
end

function test_usage_shows_the_own_limit()
  plan("acme", 10)
  get("acme")
  local usage = get("acme", base .. "/usage").json
  test.assert_eq("acme", usage.tenant)
  test.assert_eq(10, usage.limit)
  test.assert_eq(8, usage.remaining)
  test.assert_nil(get("stranger", base .. "/usage").json.tenant)
end

function test_plans_are_for_admins()
  test.assert_eq(200, plan("acme", 10, "1m"))
  local listed = test.request("GET", base .. "/plans").json.plans
  test.assert_eq({ { tenant = "acme", limit = 10, window = "1m" } }, listed)
  for _, method in ipairs({ "PUT", "DELETE" }) do
    test.assert_eq(403, test.request(method, base .. "/plans/acme", { auth = "viewer", body = { limit = 1 } }).status)
  end
  test.assert_eq(403, test.request("GET", base .. "/plans", { auth = "viewer" }).status)
  test.assert_eq(204, test.request("DELETE", base .. "/plans/acme").status)
  test.assert_eq(404, test.request("DELETE", base .. "/plans/acme").status)
end

function test_what_is_no_plan_is_refused()
  for _, limit in ipairs({ 0, -1, 1.5, "many" }) do
    test.assert_eq(422, plan("acme", limit))
  end
  test.assert_eq(422, plan("acme", 5, "1 week"))
  test.assert_eq(422, plan(("x"):rep(129), 5))
  test.assert_eq({}, test.request("GET", base .. "/plans").json.plans)
end
