-- Tasks: their table and their handlers.

local categories = require("categories")
local responses = require("responses")
local validate = require("validate")

local tasks = {}

function tasks.define()
  db.define_table("tasks", {
    columns = {
      { name = "title", type = "text", not_null = true },
      { name = "status", type = "text", not_null = true, default = "open" },
      { name = "notes", type = "text" },
      { name = "category_id", type = "text" },
    },
    -- The list is filtered by these and read in the order of creation.
    indexes = {
      { columns = { "status", "created_at" } },
      { columns = { "category_id", "created_at" } },
    },
    -- Everywhere else tables go by their short name; a foreign key names the table as the database knows it,
    -- which is plugin_<plugin>_<table>.
    foreign_keys = {
      {
        column = "category_id",
        ref_table = "plugin_task_tracker_categories",
        ref_column = "id",
        on_delete = "SET NULL",
      },
    },
  })
end

local function find(id)
  return db.query_one("tasks", { where = { id = id } })
end

-- nil when the category may be used, else what the client is told.
local function category_problem(id)
  if id == nil or id == db.null or categories.exists(id) then
    return nil
  end
  return { category_id = "must be the id of a category" }
end

-- GET /tasks?status=open&category=<id>&limit=20&offset=40
function tasks.list(req)
  local query, problems = validate.task_query(req.query)
  if not query then
    return responses.invalid(problems)
  end
  local rows, reason = db.query("tasks", {
    where = query.where,
    -- Tasks of the same second would swap places between pages without the id.
    order_by = { { column = "created_at", desc = true }, { column = "id", desc = true } },
    limit = query.limit,
    offset = query.offset,
  })
  if not rows then
    return responses.failed("list the tasks", reason)
  end
  local total = db.count("tasks", { where = query.where })
  return { json = { tasks = rows, total = total, limit = query.limit, offset = query.offset } }
end

function tasks.create(req)
  local values, problems = validate.new_task(req.json or {})
  problems = problems or category_problem(values.category_id)
  if problems then
    return responses.invalid(problems)
  end
  values.id = db.ulid()
  local _, reason = db.insert("tasks", values)
  if reason then
    return responses.failed("create the task", reason)
  end
  return { status = 201, json = find(values.id) }
end

function tasks.show(req)
  local task = find(req.params.id)
  if not task then
    return responses.not_found("task")
  end
  return { json = task }
end

function tasks.update(req)
  local changes, problems = validate.task_changes(req.json or {})
  problems = problems or category_problem(changes.category_id)
  if problems then
    return responses.invalid(problems)
  end
  local id = req.params.id
  if not find(id) then
    return responses.not_found("task")
  end
  local _, reason = db.update("tasks", { set = changes, where = { id = id } })
  if reason then
    return responses.failed("update the task", reason)
  end
  return { json = find(id) }
end

function tasks.delete(req)
  local id = req.params.id
  if not find(id) then
    return responses.not_found("task")
  end
  local _, reason = db.delete("tasks", { where = { id = id } })
  if reason then
    return responses.failed("delete the task", reason)
  end
  return { status = 204 }
end

return tasks
