-- Views: the counters, and the milestones that follow from them.
--
--   { "total" }              how many views there were
--   { "views", path }        how many of them a page had
--   { "milestones", path }   the largest power of ten that this number has reached

local views = {}

local days_90 = 90 * 24 * 60 * 60 * 1000
local pages_max = 100

local function refused(problem)
  return { status = 422, json = { error = problem } }
end

function views.add(req)
  local view = type(req.json) == "table" and req.json or {}
  local path, referrer = view.path, view.referrer
  if type(path) ~= "string" or #path > 500 or path:sub(1, 1) ~= "/" then
    return refused("path must be a text of up to 500 bytes that begins with /")
  end
  if referrer ~= nil and (type(referrer) ~= "string" or #referrer > 200 or referrer == "") then
    return refused("referrer must be a text of up to 200 bytes")
  end

  -- A sum adds to what is there at the moment of the commit: no view is lost, however many come at once. A page that
  -- nobody looks at for 90 days is forgotten; each view begins that time anew.
  local commit = kv.atomic():sum({ "total" }, 1):sum({ "views", path }, 1, { expires_in = days_90 })
  if referrer then
    commit:enqueue({ path = path, referrer = referrer }, { queue = "referrers" })
  end
  -- What can go wrong without being a mistake, such as a full namespace, comes back as `nil, reason`.
  local result, reason = commit:commit()
  if not result then
    log.error("could not count a view", { reason = reason })
    return { status = 503, json = { error = "the view was not counted" } }
  end
  return { status = 204 }
end

function views.list()
  local pages = json.array()
  -- Entries come in the order of their keys, in batches: a list never holds more than a part of the store.
  for entry in kv.list({ prefix = { "views" }, limit = pages_max }) do
    pages[#pages + 1] = { path = entry.key[2], views = entry.value }
  end
  local total = assert(kv.get({ "total" }))
  return { json = { total = total.value or 0, pages = pages } }
end

-- A change may be told twice, e.g. when the process ended in between. `max` does no harm then.
function views.note_milestone(change)
  local milestone = 1
  while milestone * 10 <= change.value do
    milestone = milestone * 10
  end
  if milestone >= 10 then
    -- An error gives the change back: it is told again after a pause.
    assert(kv.atomic():max({ "milestones", change.key[2] }, milestone):commit())
  end
end

function views.milestones()
  local pages = json.array()
  for entry in kv.list({ prefix = { "milestones" }, limit = pages_max }) do
    pages[#pages + 1] = { path = entry.key[2], views = entry.value }
  end
  return { json = { pages = pages } }
end

return views
