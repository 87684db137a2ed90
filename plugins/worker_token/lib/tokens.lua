-- The handlers. Each sees the tokens of the tenant of its caller only: those of others are not there.

local bearer = require("bearer")

local tokens = {}

local NAME_MAX = 255
local DESCRIPTION_MAX = 1000
local LIMIT_DEFAULT = 50
local LIMIT_MAX = 100
-- Of one tenant, revoked and expired ones left out.
local TOKENS_MAX = 1000

-- All that anybody sees of a token; neither what it is found by nor what is kept of it.
local COLUMNS = {
  "id",
  "display_name",
  "description",
  "created_at",
  "created_by",
  "last_used_at",
  "expires_at",
  "revoked_at",
}

local function failed(doing, reason)
  log.error("could not " .. doing, { reason = reason })
  return { status = 500, json = { error = "could not " .. doing } }
end

local function invalid(problems)
  return { status = 400, json = { error = "some fields are not valid", problems = problems } }
end

local not_found = { status = 404, json = { error = "there is no such token" } }

local function find(req)
  return db.query_one("tokens", {
    columns = COLUMNS,
    where = { id = req.params.id, tenant_id = req.identity.tenant_id },
  })
end

local function record(req, action, id, details)
  hooks.record(action, {
    identity = req.identity,
    resource_type = "worker_token",
    resource_id = id,
    details = details,
    client_ip = req.client_ip,
  })
end

local function read_text(value, bytes_max)
  if type(value) ~= "string" then
    return nil, "must be text"
  end
  if #value > bytes_max then
    return nil, "must not be longer than " .. bytes_max .. " bytes"
  end
  if value:match("^%s*$") then
    return nil, "must not be empty"
  end
  return value
end

local function read_new(input)
  local problems = {}
  local values = {}
  if type(input) ~= "table" then
    return nil, { body = "must be a JSON object, sent with Content-Type: application/json" }
  end
  for name in pairs(input) do
    if name ~= "display_name" and name ~= "description" then
      problems[tostring(name):sub(1, 64)] = "is not known; there are display_name and description"
    end
  end
  values.display_name, problems.display_name = read_text(input.display_name, NAME_MAX)
  if input.description ~= nil then
    values.description, problems.description = read_text(input.description, DESCRIPTION_MAX)
  end
  if next(problems) then
    return nil, problems
  end
  return values
end

---POST /tokens: the one answer that has the token.
function tokens.create(req)
  local values, problems = read_new(req.json)
  if not values then
    return invalid(problems)
  end
  local tenant = req.identity.tenant_id
  local active = db.count("tokens", {
    where = { tenant_id = tenant, revoked_at = db.null, expires_at = db.gt(db.timestamp()) },
  })
  if active and active >= TOKENS_MAX then
    return { status = 409, json = { error = "the tenant has " .. TOKENS_MAX .. " tokens; revoke some" } }
  end
  local token, found_by, hash = bearer.make()
  values.id = db.ulid()
  values.tenant_id = tenant
  values.token_prefix = found_by
  values.token_hash = hash
  values.created_by = req.identity.id
  values.expires_at = db.timestamp_ago(-(config.get("ttl") // 1000))
  local _, reason = db.insert("tokens", values)
  if reason then
    return failed("create the token", reason)
  end
  record(req, "token.create", values.id, { display_name = values.display_name, expires_at = values.expires_at })
  return { status = 201, json = { id = values.id, token = token, expires_at = values.expires_at } }
end

---GET /tokens?limit=50&cursor=<next of the page before>, the newest first.
function tokens.list(req)
  local limit = LIMIT_DEFAULT
  if req.query.limit then
    limit = #req.query.limit <= 3 and req.query.limit:match("^%d+$") and tonumber(req.query.limit) or 0
    if limit < 1 or limit > LIMIT_MAX then
      return invalid({ limit = "must be a whole number from 1 to " .. LIMIT_MAX })
    end
  end
  local where = { tenant_id = req.identity.tenant_id }
  if req.query.cursor then
    where.id = db.lt(req.query.cursor)
  end
  local rows, reason = db.query("tokens", {
    columns = COLUMNS,
    where = where,
    order_by = { { column = "id", desc = true } },
    limit = limit + 1,
  })
  if not rows then
    return failed("list the tokens", reason)
  end
  local next_cursor
  if #rows > limit then
    rows[#rows] = nil
    next_cursor = rows[#rows].id
  end
  return { json = { tokens = rows, next = next_cursor } }
end

---GET /tokens/{id}
function tokens.show(req)
  local row = find(req)
  if not row then
    return not_found
  end
  return { json = row }
end

---DELETE /tokens/{id}: again changes nothing.
function tokens.revoke(req)
  local row = find(req)
  if not row then
    return not_found
  end
  if row.revoked_at then
    return { status = 204 }
  end
  local _, reason = db.update("tokens", {
    set = { revoked_at = db.timestamp() },
    where = { id = row.id, tenant_id = req.identity.tenant_id },
  })
  if reason then
    return failed("revoke the token", reason)
  end
  record(req, "token.revoke", row.id)
  return { status = 204 }
end

---DELETE /tenants/{tenant}: forgets all tokens of a tenant that is no more, which ends them.
function tokens.forget_tenant(req)
  local tenant = req.params.tenant
  local own = req.identity.tenant_id
  if own and own ~= tenant then
    return { status = 403, json = { error = "that is another tenant" } }
  end
  local count = db.count("tokens", { where = { tenant_id = tenant } })
  local _, reason = db.delete("tokens", { where = { tenant_id = tenant } })
  if reason then
    return failed("forget the tokens", reason)
  end
  record(req, "tenant.forget", nil, { tenant = tenant, count = count })
  return { json = { deleted = count } }
end

return tokens
