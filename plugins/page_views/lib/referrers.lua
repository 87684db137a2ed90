-- Referrers: where the readers of a page come from.
--
--   { "referrers", path, referrer }   how many came from there
--   { "noted", id }                   a message that has been worked off

local referrers = {}

local one_day = 24 * 60 * 60 * 1000

-- A message comes at least once. Its id is the same each time, and the check makes the second time do nothing.
function referrers.note(message)
  local view = message.value
  local noted = { "noted", message.id }
  assert(kv.atomic()
    :check(noted, nil)
    :set(noted, true, { expires_in = one_day })
    :sum({ "referrers", view.path, view.referrer }, 1)
    :commit())
end

function referrers.list(req)
  local path = req.query.path
  if not path then
    return { status = 422, json = { error = "the query needs a path" } }
  end
  local found = json.array()
  -- Keys are exact: below { "referrers", "/a" } there is nothing of the page "/ab".
  for entry in kv.list({ prefix = { "referrers", path }, limit = 100 }) do
    found[#found + 1] = { referrer = entry.key[3], views = entry.value }
  end
  return { json = { referrers = found } }
end

return referrers
