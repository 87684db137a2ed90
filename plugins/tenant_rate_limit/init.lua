-- tenant_rate_limit: limits the requests of each tenant by its plan. Written to show `gateway.rate_limit`, a stage that
-- decides about requests, and one that says in their answers how the limit stands.

plugin_info = {
  name = "tenant_rate_limit",
  version = "1.0.0",
  description = "Limits requests by tenant, with a plan for each.",
  author = "modulacms contributors",
  license = "MIT",
}

local limiter = require("limiter")
local plans = require("plans")
local settings = require("settings")

-- A limit that cannot be counted for a moment is no reason to send everybody away: both fail open.
gateway.on_request(limiter.take, { name = "take", paths = settings.paths, priority = 30, fail = "open" })
gateway.on_response(limiter.tell, { name = "tell", paths = settings.paths, priority = 30, fail = "open" })

http.handle("GET", "/usage", limiter.usage, { public = true })
http.handle("GET", "/plans", plans.list)
http.handle("PUT", "/plans/{tenant}", plans.set)
http.handle("DELETE", "/plans/{tenant}", plans.delete)
