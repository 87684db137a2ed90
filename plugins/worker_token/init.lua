-- worker_token: tokens for programs that work for a tenant. Written to show an authenticator, migrations, values that an
-- operator gives, a secret, and work that is done behind the request.
--
-- A token is shown once, when it is made. What is kept is a signature of it (HMAC-SHA256) under a secret that only the
-- configuration has: whoever reads the database can neither use nor make one.

plugin_info = {
  name = "worker_token",
  version = "1.0.0",
  description = "Tokens for workers: made by the admins of a tenant, shown once, revocable.",
  author = "modulacms contributors",
  license = "MIT",
  requires = { "auth", "config", "crypto", "db", "gateway", "hooks", "kv", "secrets" },
  config_schema = {
    properties = {
      -- To change it ends all tokens.
      secret = { type = "string", secret = true, minLength = 32 },
      -- How long a token is good for.
      ttl = { type = "string", format = "duration", default = "30d" },
      -- How tokens begin. Those that begin in another way end when it changes, and an admin approves the authenticator again.
      prefix = { type = "string", pattern = "^[a-z]{1,7}_$", default = "fwt_" },
    },
    required = { "secret" },
  },
}

local bearer = require("bearer")
local tokens = require("tokens")
local usage = require("usage")

-- The host asks about bearer tokens with this beginning only: the others of a request are not shown to this plugin.
auth.authenticator("worker_token", bearer.authenticate, { bearer = bearer.prefix })

-- Checked by the host before anything of this runs. A worker makes no tokens: one that was stolen would live on in others.
local manage = {
  auth = auth.require({
    types = { "user", "key", "service" },
    permissions = { "keys:admin" },
    tenant = true,
  }),
}

http.handle("POST", "/tokens", tokens.create, manage)
http.handle("GET", "/tokens", tokens.list, manage)
http.handle("GET", "/tokens/{id}", tokens.show, manage)
http.handle("DELETE", "/tokens/{id}", tokens.revoke, manage)

-- The host knows tenants by their name only and does not tell when one goes: whoever removes a tenant calls this.
http.handle("DELETE", "/tenants/{tenant}", tokens.forget_tenant, {
  auth = auth.require({ types = { "user", "key", "service" }, permissions = { "users:admin" } }),
})

kv.listen("used", usage.note)
