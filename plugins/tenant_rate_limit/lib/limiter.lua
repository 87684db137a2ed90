-- Limiter: counts requests, and says in answers how the limit stands.

local plans = require("plans")
local settings = require("settings")

local limiter = {}

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

---@param state gateway.RateLimitState
---@return table<string, string>
local function headers_of(state)
  return {
    ["x-ratelimit-limit"] = tostring(state.limit),
    ["x-ratelimit-remaining"] = tostring(state.remaining),
    ["x-ratelimit-reset"] = tostring(state.reset),
  }
end

---A browser sends these by itself, and cannot be told to wait with them.
---@param req gateway.Request
---@return boolean
local function is_preflight(req)
  return req.method == "OPTIONS" and req.headers["access-control-request-method"] ~= nil
end

---The stage for requests.
---@param req gateway.Request
---@return gateway.Verdict?
function limiter.take(req)
  if is_preflight(req) then
    return nil
  end
  local allowed, state = count(req, 1)
  if allowed then
    return nil
  end
  local headers = headers_of(state)
  headers["retry-after"] = tostring(state.retry_after)
  return { status = 429, headers = headers, json = { error = "too many requests", code = "TENANT_RATE_LIMITED" } }
end

---The stage for answers. It runs in another VM than the first one, maybe, and for answers of which that one never saw the
---request: so it is told nothing, and looks for itself. A header of the request could come from anybody.
---@param req gateway.Request
---@return gateway.AnswerChange?
function limiter.tell(req)
  if is_preflight(req) then
    return nil
  end
  local _, state = count(req, 0)
  return { headers = headers_of(state) }
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
