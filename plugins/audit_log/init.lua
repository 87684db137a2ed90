-- audit_log: who has done what, and how it ended. Written to show after-hooks of content and of `host_actions`, deliveries
-- that may come twice, and work that comes back each day.
--
-- What was done is in the outbox of the host before anything here runs, and stays there until `events.note` has stored
-- it. So there is no buffer in this plugin that a stop could empty.

plugin_info = {
  name = "audit_log",
  version = "1.0.0",
  description = "Keeps who has done what with content, plugins, users and the gateway, and shows it to admins.",
  author = "modulacms contributors",
  license = "MIT",
  requires = { "auth", "config", "db", "hooks", "kv", "metrics" },
  config_schema = {
    properties = {
      -- Events that are older are removed once a day.
      retention_days = { type = "integer", minimum = 1, maximum = 36500, default = 90 },
      -- How many are removed at once; others can write in between.
      batch_size = { type = "integer", minimum = 1, maximum = 500, default = 100 },
      -- Which actions are kept, and which of these are not, e.g. "session.*"; `*` is any text.
      include = {
        type = "array",
        items = { type = "string", minLength = 1, maxLength = 128 },
        maxItems = 100,
        default = { "*" },
      },
      exclude = {
        type = "array",
        items = { type = "string", minLength = 1, maxLength = 128 },
        maxItems = 100,
        default = {},
      },
    },
  },
}

local events = require("events")
local purge = require("purge")

for _, event in ipairs({ "after_create", "after_update", "after_delete", "after_publish", "after_archive" }) do
  hooks.on(event, "*", events.note_content)
end
-- Sign-ins, plugins, users, keys, roles, policies, the gateway, and what other plugins record.
hooks.on("after_create", "host_actions", events.note_action)

-- There is no route that changes or removes an event.
http.handle("GET", "/events", events.list, {
  -- A permission of the host, and no role: those of an authenticator of a plugin are only the word of that plugin.
  auth = auth.require({ types = { "user", "key", "service" }, permissions = { "users:read" } }),
})

kv.listen("purge", purge.run)

function on_init()
  purge.begin()
end
