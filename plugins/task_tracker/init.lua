-- task_tracker: tasks in categories, served as JSON. Written to be read first by anyone who writes a plugin.
--
-- The host loads this file once into each of the plugin's VMs. What stands at the top level (module scope) says who
-- the plugin is and registers its routes; nothing can be read or written yet. `on_init` runs once, before the
-- first request, and is the place for tables. Handlers run for requests, in any of the VMs, so that what must be
-- remembered belongs in the database and never in a variable.

plugin_info = {
  name = "task_tracker",
  version = "1.0.0",
  description = "Tasks in categories: filters, paging, validation and a transaction.",
  author = "modulacms contributors",
  license = "MIT",
}

-- `require` finds files in lib/, by their name alone.
local categories = require("categories")
local tasks = require("tasks")

-- Middleware runs before every handler below. This one turns away a body that a handler could not use, once for all
-- of them. To return a table is to answer; to return nothing is to go on.
http.use(function(req)
  local takes_body = req.method == "POST" or req.method == "PUT"
  if not takes_body or req.body == "" then
    return nil
  end
  if type(req.json) ~= "table" then
    return {
      status = 400,
      json = { error = "the body must be a JSON object, sent with Content-Type: application/json" },
    }
  end
end)

-- An admin approves each route before it is served, under /api/v1/plugins/task_tracker. Without options, callers
-- must be signed in. These two are public because this is a demonstration, and the README's first commands should work
-- without a token. For tasks of your own, drop `public`.
http.handle("GET", "/tasks", tasks.list, { public = true })
http.handle("POST", "/tasks", tasks.create, { public = true })

http.handle("GET", "/tasks/{id}", tasks.show)
http.handle("PUT", "/tasks/{id}", tasks.update)
http.handle("DELETE", "/tasks/{id}", tasks.delete)

http.handle("GET", "/categories", categories.list)
http.handle("POST", "/categories", categories.create)
http.handle("DELETE", "/categories/{id}", categories.delete)
http.handle("POST", "/categories/{id}/complete", categories.complete)

-- Tables that exist already are left as they are. Each also gets `id`, `created_at` and `updated_at`, which the host
-- fills in.
function on_init()
  categories.define()
  tasks.define()
  log.info("task_tracker is ready", { categories = db.count("categories"), tasks = db.count("tasks") })
end

function on_shutdown()
  log.info("task_tracker stops")
end
