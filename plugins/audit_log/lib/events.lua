-- The events: how they are stored, and how they are read. They are never changed.

local redaction = require("redaction")
local selection = require("selection")

local events = {}

local LIMIT_MAX = 100
local LIMIT_DEFAULT = 50
local VERBS = {
  after_create = "create",
  after_update = "update",
  after_delete = "delete",
  after_publish = "publish",
  after_archive = "archive",
}

local stored = metrics.counter("events_total", { help = "Events by what became of them.", labels = { "status" } })

-- What the filters compare with.
local FILTERS = {
  actor = "actor_id",
  action = "action",
  outcome = "outcome",
  resource_type = "resource_type",
  resource_id = "resource_id",
}

-- An error lets the host try again, with growing pauses: neither what was done waits for it, nor fails.
local function store(delivery, event)
  if not selection.keeps(event.action) then
    stored:inc(1, { status = "left_out" })
    return
  end
  event.delivery = delivery
  event.details = json.encode(redaction.clean(event.details or {}))
  -- A delivery that comes again finds its row.
  local _, reason = db.upsert("events", { values = event, conflict_columns = { "delivery" }, do_nothing = true })
  if reason then
    stored:inc(1, { status = "failed" })
    error(reason)
  end
  stored:inc(1, { status = "stored" })
end

-- Names only: what is in the columns is content, and the log would keep what somebody has had removed.
local function changed_columns(data)
  local names = {}
  for name, value in pairs(data) do
    if name:sub(1, 1) ~= "_" and json.encode(value) ~= json.encode(data._old[name]) then
      names[#names + 1] = name
    end
  end
  for name in pairs(data._old) do
    if data[name] == nil then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return json.array(names)
end

-- In the form of `db.timestamp`, with which it is compared.
local function to_second(time)
  return time:sub(1, 19) .. "Z"
end

---After-hook of all tables with content.
function events.note_content(data)
  local who = data._identity or {}
  store(data._delivery, {
    happened_at = to_second(data._at),
    tenant_id = who.tenant_id,
    actor_type = who.type or (data._actor and "other") or "anonymous",
    actor_id = who.id or data._actor,
    actor_name = who.name or data._actor,
    action = data._table .. "." .. VERBS[data._event],
    outcome = "success",
    resource_type = data._table,
    resource_id = data.id ~= nil and tostring(data.id) or nil,
    details = data._old and { columns = changed_columns(data) } or nil,
    request_id = data._request_id,
  })
end

---After-hook of what is done in the administration.
function events.note_action(data)
  store(data._delivery, {
    happened_at = to_second(data.at),
    tenant_id = data.tenant,
    actor_type = data.actor_kind,
    actor_id = data.actor_id,
    actor_name = data.actor_name and redaction.text(data.actor_name),
    action = data.action,
    outcome = data.outcome,
    resource_type = data.resource_type,
    resource_id = data.resource_id,
    details = data.details,
    client_ip = data.client_ip,
    request_id = data.request_id,
  })
end

local function is_time(text)
  return #text == 20 and text:match("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$") ~= nil
end

local function read_query(query)
  local problems = {}
  local where = { "AND", {} }
  local function need(column, operator, value)
    where[2][#where[2] + 1] = { column, operator, value }
  end
  local values = { where = where, limit = LIMIT_DEFAULT }
  for name, value in pairs(query) do
    if FILTERS[name] then
      need(FILTERS[name], "=", value)
    elseif name == "from" or name == "to" then
      if is_time(value) then
        need("happened_at", name == "from" and ">=" or "<", value)
      else
        problems[name] = "must be a time such as 2026-01-31T12:00:00Z"
      end
    elseif name == "limit" then
      local limit = #value <= 3 and value:match("^%d+$") and tonumber(value) or 0
      values.limit = limit
      if limit < 1 or limit > LIMIT_MAX then
        problems.limit = "must be a whole number from 1 to " .. LIMIT_MAX
      end
    elseif name == "cursor" then
      need("id", "<", value)
    else
      problems[name:sub(1, 64)] = "is not known"
    end
  end
  if next(problems) then
    return nil, problems
  end
  return values
end

local function shown(row)
  row.details = json.decode(row.details)
  row.delivery = nil
  row.updated_at = nil
  return row
end

---GET /events?actor=&action=&outcome=&resource_type=&resource_id=&from=&to=&limit=&cursor=, the newest first.
function events.list(req)
  local query, problems = read_query(req.query)
  if not query then
    return { status = 400, json = { error = "some parameters are not valid", problems = problems } }
  end
  -- Of whom the host says that they belong to a tenant, they see that tenant, whatever they ask for.
  local tenant = req.identity.tenant_id
  if tenant then
    table.insert(query.where[2], { "tenant_id", "=", tenant })
  end
  local rows, reason = db.query("events", {
    where = #query.where[2] > 0 and query.where or nil,
    order_by = { { column = "id", desc = true } },
    limit = query.limit + 1,
  })
  if not rows then
    log.error("could not list the events", { reason = reason })
    return { status = 500, json = { error = "could not list the events" } }
  end
  local next_cursor
  if #rows > query.limit then
    rows[#rows] = nil
    next_cursor = rows[#rows].id
  end
  for _, row in ipairs(rows) do
    shown(row)
  end
  return { json = { events = rows, next = next_cursor } }
end

return events
