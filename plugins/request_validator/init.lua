-- request_validator: turns requests away that no handler should have to look at. Written to show a stage of the gateway
-- that guards: it sees every request for its paths, whoever serves them, before anything is done for it.

plugin_info = {
  name = "request_validator",
  version = "1.0.0",
  description = "Refuses requests by headers, sizes and content types, with rules for each path.",
  author = "modulacms contributors",
  license = "MIT",
}

local settings = require("settings")
local validator = require("validator")

-- An admin approves the stage with its paths. A guard that cannot be run refuses: `fail = "closed"` is what stages for
-- requests have anyway, and stands here for its readers.
gateway.on_request(validator.check, { name = "validator", paths = settings.paths, priority = 20, fail = "closed" })
