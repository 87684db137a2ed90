-- maintenance_mode: a switch that closes a site while somebody works on it. Written to show a stage of the gateway that
-- depends on something that is stored, and routes for admins that change it.

plugin_info = {
  name = "maintenance_mode",
  version = "1.0.0",
  description = "Answers 503 with a page or JSON while the site is closed.",
  author = "modulacms contributors",
  license = "MIT",
}

local door = require("door")
local switch = require("switch")

-- The switch is off for most of its life, and a fault of this plugin should not close the site then: so the stage fails
-- open. Where a visitor during the work would do harm, say `fail = "closed"`; a fault closes the site then.
gateway.on_request(door.check, { name = "door", priority = 10, fail = "open" })

http.handle("GET", "/state", switch.show)
http.handle("PUT", "/state", switch.set)
