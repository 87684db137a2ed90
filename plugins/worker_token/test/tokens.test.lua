local bearer = require("bearer")
local tokens = require("tokens")

local base = "/api/v1/plugins/worker_token"

local function admin_of(tenant)
  return { type = "user", id = "ann", roles = { "admin" }, groups = {}, tenant_id = tenant }
end

local function make(tenant, input)
  return tokens.create({ json = input or { display_name = "packer" }, identity = admin_of(tenant), client_ip = "127.0.0.1" })
end

local function call(name, tenant, more)
  local req = { params = {}, query = {}, identity = admin_of(tenant), client_ip = "127.0.0.1" }
  for key, value in pairs(more or {}) do
    req[key] = value
  end
  return tokens[name](req)
end

---What a route of the plugin says to somebody with this token: 403 to a worker, as workers make no tokens.
local function status_with(token)
  return test.request("GET", base .. "/tokens", { auth = "none", headers = { authorization = "Bearer " .. token } }).status
end

local function changed(text, at)
  return text:sub(1, at - 1) .. (text:sub(at, at) == "A" and "B" or "A") .. text:sub(at + 1)
end

function test_a_token_is_shown_once_and_only_its_signature_is_kept()
  local made = make("acme")
  test.assert_eq(201, made.status)
  local token = made.json.token
  test.assert_eq(4 + 12 + 1 + 43, #token)
  test.assert_eq("fwt_", token:sub(1, 4))
  local row = db.query_one("tokens", { where = { id = made.json.id } })
  test.assert(row.token_hash:match("^[0-9a-f]+$") and #row.token_hash == 64)
  test.assert_eq(token:sub(1, 16), row.token_prefix)
  test.assert_eq("acme", row.tenant_id)
  test.assert_eq("ann", row.created_by)
  for _, value in pairs(row) do
    test.assert_nil(tostring(value):find(token:sub(18), 1, true))
  end
  for _, line in ipairs(test.log()) do
    test.assert_nil(json.encode(line):find(token:sub(18), 1, true))
  end
end

function test_a_token_opens_until_it_is_revoked()
  local made = make("acme").json
  test.assert_eq(403, status_with(made.token))
  for _ = 1, 2 do
    test.assert_eq(204, call("revoke", "acme", { params = { id = made.id } }).status)
  end
  test.assert_eq(401, status_with(made.token))
end

function test_one_character_is_enough_to_be_refused()
  local token = make("acme").json.token
  for _, at in ipairs({ 5, 16, 17, 18, 40, 60 }) do
    test.assert_eq(401, status_with(changed(token, at)), "at " .. at)
  end
  test.assert_eq(401, status_with(token .. "A"))
  test.assert_eq(401, status_with(token:sub(1, -2)))
  test.assert_eq(401, status_with("fwt_"))
end

function test_an_expired_token_is_refused_as_expired()
  local made = make("acme").json
  db.update("tokens", { set = { expires_at = db.timestamp_ago(1) }, where = { id = made.id } })
  local answer = test.request("GET", base .. "/tokens", {
    auth = "none",
    headers = { authorization = "Bearer " .. made.token },
  })
  test.assert_eq(401, answer.status)
  test.assert_contains(answer.body, "expired")
end

function test_the_last_use_is_written_behind_the_request_and_once_a_minute()
  local made = make("acme").json
  test.assert_nil(db.query_one("tokens", { where = { id = made.id } }).last_used_at)
  status_with(made.token)
  test.assert_eq(0, test.wait_messages())
  test.assert_not_nil(db.query_one("tokens", { where = { id = made.id } }).last_used_at)
  db.update("tokens", { set = { last_used_at = db.null }, where = { id = made.id } })
  status_with(made.token)
  test.assert_eq(0, test.wait_messages())
  test.assert_nil(db.query_one("tokens", { where = { id = made.id } }).last_used_at)
end

function test_other_tenants_do_not_see_it()
  local made = make("acme").json
  local params = { params = { id = made.id } }
  test.assert_eq(made.id, call("show", "acme", params).json.id)
  test.assert_eq(404, call("show", "other", params).status)
  test.assert_eq(404, call("revoke", "other", params).status)
  test.assert_eq(0, #call("list", "other").json.tokens)
  test.assert_eq(403, call("forget_tenant", "other", { params = { tenant = "acme" } }).status)
  test.assert_eq(1, #call("list", "acme").json.tokens)
end

function test_a_list_comes_in_pages_and_tells_no_token()
  local made = {}
  for _ = 1, 5 do
    made[make("acme").json.id] = true
  end
  local seen, cursor = 0, nil
  repeat
    local page = call("list", "acme", { query = { limit = "2", cursor = cursor } }).json
    for _, row in ipairs(page.tokens) do
      test.assert(made[row.id])
      test.assert_nil(row.token_hash)
      test.assert_nil(row.token_prefix)
      test.assert_nil(row.token)
      seen = seen + 1
    end
    cursor = page.next
  until not cursor
  test.assert_eq(5, seen)
  for _, limit in ipairs({ "0", "101", "x", "", "1e1", "99999999" }) do
    test.assert_eq(400, call("list", "acme", { query = { limit = limit } }).status)
  end
end

function test_input_is_checked()
  for _, input in ipairs({
    {},
    { display_name = "" },
    { display_name = 7 },
    { display_name = ("x"):rep(256) },
    { display_name = "a", description = {} },
    { display_name = "a", tenant_id = "other" },
    { display_name = "a", id = "mine" },
  }) do
    test.assert_eq(400, make("acme", input).status, json.encode(input))
  end
  test.assert_eq(400, tokens.create({ identity = admin_of("acme") }).status)
  test.assert_eq(0, db.count("tokens", { where = { tenant_id = "acme" } }))
end

function test_a_tenant_that_goes_takes_its_tokens_along()
  local gone = make("acme").json
  local kept = make("other").json
  local answer = test.request("DELETE", base .. "/tenants/acme")
  test.assert_eq(200, answer.status)
  test.assert_eq(1, answer.json.deleted)
  test.assert_eq(401, status_with(gone.token))
  test.assert_eq(403, status_with(kept.token))
end

function test_who_may_not_ask()
  -- The admin token belongs to no tenant.
  test.assert_eq(403, test.request("POST", base .. "/tokens", { body = { display_name = "a" } }).status)
  test.assert_eq(403, test.request("GET", base .. "/tokens", { auth = "viewer" }).status)
  test.assert_eq(401, test.request("GET", base .. "/tokens", { auth = "none" }).status)
  test.assert_eq(403, test.request("DELETE", base .. "/tenants/acme", { auth = "viewer" }).status)
end

function test_other_tokens_are_left_to_others()
  for _, token in ipairs({ "mk_abc", "eyJhbGciOiJIUzI1NiJ9.e30.x", "FWT_abc", "" }) do
    test.assert_eq("none", bearer.authenticate({ bearer = token }).outcome)
  end
  test.assert_eq("none", bearer.authenticate({}).outcome)
end
