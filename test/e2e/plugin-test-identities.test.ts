import { test } from 'node:test'
import { plugin } from '../helpers/create-host.js'
import { assertPassed, useDemo } from '../helpers/plugin-tests.js'

const reports = `
auth.authenticator("badge", function(req)
  if req.bearer == "badge_ann" then return auth.identity({ type = "worker", id = "ann", tenant_id = "acme" }) end
  return auth.fail("expired", "That badge is from last year.")
end, { bearer = "badge_" })
auth.authorizer("views", function(identity, access)
  if identity.id == "boom" then error("it broke") end
  if access.action == "view" or identity.tenant_id == "acme" then return true end
  return auth.deny("only acme changes " .. access.resource_type)
end)
http.handle("GET", "/me", function(req) return { json = req.identity } end)
http.handle("POST", "/reports", function(req) return { status = 201, json = { author = req.identity.id } } end,
  { auth = auth.require({ roles = { "analyst" }, tenant = true, types = { "user", "key" } }) })
http.handle("GET", "/plugins", function() return { status = 200 } end,
  { auth = auth.require({ permissions = { "plugins:admin" } }) })
http.handle("DELETE", "/reports/{id}", function(req)
  local allowed, reason = auth.check("delete", { type = "report", id = req.params.id })
  if not allowed then return { status = 403, json = { error = reason } } end
  return { status = 204 }
end)`

const results = useDemo({
  'demo/init.lua': plugin('demo', reports),
  'demo/test/identities.test.lua': `
local root = "/api/v1/plugins/demo"
local ann = { id = "ann", name = "Ann", roles = { "analyst" }, tenant_id = "acme", groups = { "g" }, attributes = { hall = 3 } }

function test_somebody_of_ones_own_sends_a_request()
  local me = test.request("GET", root .. "/me", { identity = ann }).json
  test.assert_eq({ type = "user", id = "ann", name = "Ann", roles = { "analyst" }, tenant_id = "acme", groups = { "g" },
    attributes = { hall = 3 }, authenticator = "test" }, me)
  test.assert_eq("key", test.request("GET", root .. "/me", { identity = { type = "key", id = 7, authenticator = "api_key" } }).json.type)
  test.assert_eq("viewer", test.request("GET", root .. "/me", { auth = "viewer" }).json.id)
  test.assert_eq(401, test.request("GET", root .. "/me", { auth = "none" }).status)
end

function test_what_routes_ask_is_checked()
  local function post(identity) return test.request("POST", root .. "/reports", { identity = identity, body = {} }) end
  test.assert_eq("ann", post(ann).json.author)
  test.assert_eq(403, post({ id = "bob", roles = { "analyst" } }).status)
  test.assert_contains(post({ id = "bob", tenant_id = "acme" }).json.error.message, "the role analyst")
  test.assert_eq(403, post({ type = "worker", id = "w", roles = { "analyst" }, tenant_id = "acme" }).status)
  test.assert_eq(401, test.request("POST", root .. "/reports", { auth = "none" }).status)
  test.assert_eq(200, test.request("GET", root .. "/plugins", { identity = { id = "o", roles = { "operator" } } }).status)
  test.assert_eq(403, test.request("GET", root .. "/plugins", { identity = { id = "o", roles = { "auditor" } } }).status)
end

function test_an_authenticator_is_tried_by_its_credential()
  local function me(token)
    return test.request("GET", root .. "/me", { auth = "none", headers = { authorization = "Bearer " .. token } })
  end
  test.assert_eq("badge", me("badge_ann").json.authenticator)
  test.assert_eq(401, me("badge_old").status)
  test.assert_contains(me("badge_old").body, "from last year")
end

function test_an_authorizer_is_asked()
  test.assert_eq(true, test.authorize("views", { id = "x" }))
  test.assert_eq(true, test.authorize("views", { id = "x", tenant_id = "acme" }, { action = "delete" }))
  local allowed, reason = test.authorize("views", { id = "x" }, { action = "delete", resource_type = "report" })
  test.assert_nil(allowed)
  test.assert_eq("only acme changes report", reason)
  test.assert_error(function() test.authorize("views", { id = "boom" }) end, "it broke")
  test.assert_error(function() test.authorize("other", { id = "x" }) end, "no authorizer")
end

function test_checks_say_what_the_test_says()
  local function delete() return test.request("DELETE", root .. "/reports/7", { identity = ann }) end
  test.assert_eq(403, delete().status)
  test.assert_contains(delete().json.error, "test.mock_check")
  test.mock_check("delete", "report", true)
  test.mock_check("delete", "report", false, "too late")
  test.assert_eq(204, delete().status)
end

function test_a_check_can_be_refused()
  test.mock_check("delete", "report", false, "it belongs to somebody else")
  local answer = test.request("DELETE", root .. "/reports/7", { identity = ann })
  test.assert_eq({ error = "it belongs to somebody else" }, answer.json)
end

function test_odd_identities_are_refused()
  local function as(identity, more)
    return function() test.request("GET", root .. "/me", { identity = identity, auth = more }) end
  end
  test.assert_error(as("ann"), "must be a table")
  test.assert_error(as({}), "id must be there")
  test.assert_error(as({ id = "a", role = "x" }), "no field")
  test.assert_error(as({ id = "a", type = "anonymous" }), "type must be one of")
  test.assert_error(as({ id = string.rep("x", 300) }), "limit is 255")
  test.assert_error(as(ann, "admin"), "mutually exclusive")
end
`,
})

test('tests of a plugin send requests as whom they want, and ask its authorizers', () => {
  assertPassed(results('identities'))
})
