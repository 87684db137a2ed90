-- Settings: change them here. When the paths change, an admin approves the stages again.

---@class tenant_rate_limit.Plan
---@field limit integer Requests in each window.
---@field window string e.g. `"1m"`.

return {
  ---Where requests are counted; see `gateway.on_request` for the patterns.
  paths = { "/api/**" },

  ---Who the tenant is: `{ header = "x-tenant-id" }`, or a claim of the signed-in user: `{ claim = "id" }`, `"username"`
  ---or `"role"`. Anybody can send a header: take one only when a proxy in front of the host sets it.
  ---@type { header?: string, claim?: "id"|"username"|"role" }
  tenant = { header = "x-tenant-id" },

  ---For each address without a tenant, or with one that has no plan: to make up tenants brings nothing.
  ---@type tenant_rate_limit.Plan
  default_plan = { limit = 60, window = "1m" },
}
