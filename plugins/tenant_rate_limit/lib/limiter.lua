-- Limiter: counts requests, and says in answers how the limit stands.

local plans = require("plans")
local settings = require("settings")

local limiter = {}

-- The two stages may run in different VMs. What one has to tell the other goes along with the request, in a header that
-- the first one always sets, so that no client can.
local mark = "x-tenant-limit"

---@param req gateway.Request|http.Request
---@return string?
local function tenant_of(req)
  local from = settings.tenant
  if from.header then
    return req.headers[from.header]
  end
  return req.user and req.user[from.claim]
end

---Whom a request is counted for, and how much that one may send.
---@param req gateway.Request|http.Request
---@return string key
---@return tenant_rate_limit.Plan plan
---@return string? tenant
local function account_of(req)
  local tenant = tenant_of(req)
  if tenant and tenant ~= "" and #tenant <= 128 then
    local plan = plans.of(tenant)
    if plan then
      return "tenant:" .. tenant, plan, tenant
    end
  end
  return "address:" .. req.client_ip, settings.default_plan, nil
end

---@param req gateway.Request|http.Request
---@param cost integer
---@return boolean
---@return gateway.RateLimitState
---@return string? tenant
local function count(req, cost)
  local key, plan, tenant = account_of(req)
  local allowed, state = gateway.rate_limit(key, { limit = plan.limit, window = plan.window, cost = cost })
  return allowed, state, tenant
end

---@param limit string|integer
---@param remaining string|integer
---@param reset string|integer
---@return table<string, string>
local function headers_of(limit, remaining, reset)
  return {
    ["x-ratelimit-limit"] = tostring(limit),
    ["x-ratelimit-remaining"] = tostring(remaining),
    ["x-ratelimit-reset"] = tostring(reset),
  }
end

---The stage for requests.
---@param req gateway.Request
---@return gateway.Verdict?
function limiter.take(req)
  -- A browser sends preflights by itself, and cannot be told to wait with them.
  if req.method == "OPTIONS" and req.headers["access-control-request-method"] then
    return { request = { headers = { [mark] = false } } }
  end
  local allowed, state = count(req, 1)
  if allowed then
    return { request = { headers = { [mark] = ("%d %d %d"):format(state.limit, state.remaining, state.reset) } } }
  end
  local headers = headers_of(state.limit, state.remaining, state.reset)
  headers["retry-after"] = tostring(state.retry_after)
  return { status = 429, headers = headers, json = { error = "too many requests", code = "TENANT_RATE_LIMITED" } }
end

---The stage for answers.
---@param req gateway.Request
---@param res gateway.Answer
---@return gateway.AnswerChange?
function limiter.tell(req, res)
  local limit, remaining, reset = (req.headers[mark] or ""):match("^(%d+) (%d+) (%d+)$")
  -- A refusal says it already; its request has no mark, or one of its sender.
  if limit and not (res.status == 429 and res.headers["x-ratelimit-limit"]) then
    return { headers = headers_of(limit, remaining, reset) }
  end
end

---How the limit of the sender stands; to ask counts as any other request.
---@param req http.Request
---@return http.Response
function limiter.usage(req)
  local _, state, tenant = count(req, 0)
  return {
    json = { tenant = tenant, limit = state.limit, remaining = state.remaining, reset = state.reset },
  }
end

return limiter
