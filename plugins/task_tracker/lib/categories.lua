-- Categories: their table and their handlers.

local responses = require("responses")
local validate = require("validate")

local categories = {}

function categories.define()
  db.define_table("categories", {
    columns = {
      { name = "name", type = "text", not_null = true, unique = true },
    },
  })
end

function categories.exists(id)
  return db.exists("categories", { where = { id = id } })
end

function categories.list()
  -- Without a limit, a query returns 100 rows.
  local rows, reason = db.query("categories", { order_by = "name", limit = 1000 })
  if not rows then
    return responses.failed("list the categories", reason)
  end
  return { json = { categories = rows } }
end

function categories.create(req)
  local values, problems = validate.category(req.json or {})
  if not values then
    return responses.invalid(problems)
  end
  if db.exists("categories", { where = { name = values.name } }) then
    return responses.conflict("there is a category with this name")
  end
  values.id = db.ulid()
  -- What can go wrong without being a mistake comes back as `nil, reason`; what writes returns nothing otherwise.
  local _, reason = db.insert("categories", values)
  if reason then
    -- Another request may have taken the name since it was looked up: the unique column has the last word.
    if reason:find("UNIQUE", 1, true) then
      return responses.conflict("there is a category with this name")
    end
    return responses.failed("create the category", reason)
  end
  return { status = 201, json = db.query_one("categories", { where = { id = values.id } }) }
end

-- Deletes a category and keeps its tasks: with `?move_to=<id>` they move there, else they are in no category.
function categories.delete(req)
  local id, target = req.params.id, req.query.move_to
  if not categories.exists(id) then
    return responses.not_found("category")
  end
  if target and (target == id or not categories.exists(target)) then
    return responses.invalid({ move_to = "must be the id of another category" })
  end
  -- Both steps or neither: a transaction is kept when its function returns, and undone when it raises. Calls that
  -- fail inside return `nil, reason` as everywhere, so that they are turned into an error here.
  local done, reason = db.transaction(function()
    local _, failure = db.update("tasks", {
      set = { category_id = target or db.null },
      where = { category_id = id },
    })
    if failure then
      error(failure)
    end
    _, failure = db.delete("categories", { where = { id = id } })
    if failure then
      error(failure)
    end
  end)
  if not done then
    return responses.failed("delete the category", reason)
  end
  return { status = 204 }
end

-- Completes all open tasks of a category and says how many there were. Counting and writing in one transaction
-- makes the number true even while others add tasks.
function categories.complete(req)
  local id = req.params.id
  if not categories.exists(id) then
    return responses.not_found("category")
  end
  local open_tasks = { category_id = id, status = "open" }
  local completed = 0
  local done, reason = db.transaction(function()
    completed = db.count("tasks", { where = open_tasks })
    local _, failure = db.update("tasks", { set = { status = "done" }, where = open_tasks })
    if failure then
      error(failure)
    end
  end)
  if not done then
    return responses.failed("complete the tasks", reason)
  end
  return { json = { completed = completed } }
end

return categories
