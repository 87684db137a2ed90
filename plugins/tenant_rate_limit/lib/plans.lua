-- Plans: what each tenant may send, in the key-value store.
--
--   { "plans", tenant }   a tenant_rate_limit.Plan

local plans = {}

---@param req http.Request
---@return http.Response?
local function refuse_strangers(req)
  if not req.user or req.user.role ~= "admin" then
    return { status = 403, json = { error = "only an admin may see and change plans" } }
  end
end

---The plan of a tenant; nil when it has none. Raises when it cannot be read.
---@param tenant string
---@return tenant_rate_limit.Plan?
function plans.of(tenant)
  return assert(kv.get({ "plans", tenant })).value
end

---@param req http.Request
---@return http.Response
function plans.list(req)
  local refused = refuse_strangers(req)
  if refused then
    return refused
  end
  local found = json.array()
  for entry in kv.list({ prefix = { "plans" }, limit = 1000 }) do
    found[#found + 1] = { tenant = entry.key[2], limit = entry.value.limit, window = entry.value.window }
  end
  return { json = { plans = found } }
end

---@param req http.Request
---@return http.Response
function plans.set(req)
  local refused = refuse_strangers(req)
  if refused then
    return refused
  end
  local given = type(req.json) == "table" and req.json or {}
  local plan = { limit = given.limit, window = given.window }
  -- The host says best what makes a limit: it raises for the others. A cost of 0 takes nothing.
  local is_plan, problem = pcall(gateway.rate_limit, "try", { limit = plan.limit, window = plan.window, cost = 0 })
  if not is_plan then
    return { status = 422, json = { error = tostring(problem):match("gateway.rate_limit: .*$") or "this is no plan" } }
  end
  if #req.params.tenant > 128 then
    return { status = 422, json = { error = "the name of a tenant has up to 128 bytes" } }
  end
  assert(kv.set({ "plans", req.params.tenant }, plan))
  return { json = plan }
end

---@param req http.Request
---@return http.Response
function plans.delete(req)
  local refused = refuse_strangers(req)
  if refused then
    return refused
  end
  local count = assert(kv.delete({ "plans", req.params.tenant }))
  return count == 0 and { status = 404, json = { error = "this tenant has no plan" } } or { status = 204 }
end

return plans
