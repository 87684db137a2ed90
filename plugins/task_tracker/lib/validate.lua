-- Checks of what clients send. Each returns the clean values, or `nil, problems` with one sentence for each field that
-- is wrong, so that a form can show all of them at once. Fields that are not named here never reach the database.

local validate = {}

local STATUSES = { open = true, done = true }
local TITLE_MAX = 200
local NAME_MAX = 60
local OPTIONAL_TEXTS = { notes = 5000, category_id = 60 }
local LIMIT_DEFAULT = 20
local LIMIT_MAX = 100
local OFFSET_MAX = 1000000

-- Text with its surrounding blanks removed, or nil and what is wrong with it.
local function text(value, length_max)
  if type(value) ~= "string" then
    return nil, "must be text"
  end
  -- The length comes first: a pattern has to do more work the longer its subject is.
  if #value > length_max then
    return nil, "must not be longer than " .. length_max .. " bytes"
  end
  local trimmed = value:match("^%s*(.-)%s*$")
  if trimmed == "" then
    return nil, "must not be empty"
  end
  return trimmed
end

local function status(value)
  if STATUSES[value] then
    return value
  end
  return nil, 'must be "open" or "done"'
end

-- A whole number in a query parameter, which arrives as text.
local function number_in(value, default, low, high)
  if value == nil then
    return default
  end
  local number = value:match("^%d+$") and tonumber(value)
  if not number or number < low or number > high then
    return nil, "must be a whole number from " .. low .. " to " .. high
  end
  return number
end

-- A checker collects: it hands back good values and remembers the problems of bad ones.
local function checker()
  local problems = {}
  local function check(field, value, problem)
    if problem then
      problems[field] = problem
    end
    return value
  end
  local function finish(values)
    if next(problems) then
      return nil, problems
    end
    return values
  end
  return check, finish
end

function validate.category(input)
  local check, finish = checker()
  local name = check("name", text(input.name, NAME_MAX))
  return finish({ name = name })
end

-- A task that is to be created.
function validate.new_task(input)
  local check, finish = checker()
  local values = {
    title = check("title", text(input.title, TITLE_MAX)),
    status = "open",
  }
  if input.status ~= nil then
    values.status = check("status", status(input.status))
  end
  for field, length_max in pairs(OPTIONAL_TEXTS) do
    if input[field] ~= nil and input[field] ~= "" then
      values[field] = check(field, text(input[field], length_max))
    end
  end
  return finish(values)
end

-- Changes to a task: only fields that are there are touched. Members that are null in JSON are absent in Lua, so that
-- an empty text is what clears `notes` and `category_id`; db.null writes that to the database.
function validate.task_changes(input)
  local check, finish = checker()
  local changes = {}
  if input.title ~= nil then
    changes.title = check("title", text(input.title, TITLE_MAX))
  end
  if input.status ~= nil then
    changes.status = check("status", status(input.status))
  end
  for field, length_max in pairs(OPTIONAL_TEXTS) do
    if input[field] == "" then
      changes[field] = db.null
    elseif input[field] ~= nil then
      changes[field] = check(field, text(input[field], length_max))
    end
  end
  local values, problems = finish(changes)
  if values and not next(values) then
    return nil, { body = "must have at least one of title, status, notes, category_id" }
  end
  return values, problems
end

-- The query of a task list: filters and which page of it.
function validate.task_query(query)
  local check, finish = checker()
  local values = {
    limit = check("limit", number_in(query.limit, LIMIT_DEFAULT, 1, LIMIT_MAX)),
    offset = check("offset", number_in(query.offset, 0, 0, OFFSET_MAX)),
    where = {},
  }
  if query.status then
    values.where.status = check("status", status(query.status))
  end
  -- An empty `category` asks for the tasks that are in none. db.null says so; a plain nil would just be no filter.
  if query.category == "" then
    values.where.category_id = db.null
  elseif query.category then
    values.where.category_id = query.category
  end
  return finish(values)
end

return validate
