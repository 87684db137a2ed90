-- Removes what is older than the configuration says, once a day and at each start. A message with a delay keeps the time,
-- so that a restart neither forgets nor doubles it.

local purge = {}

local DAY_MS = 24 * 60 * 60 * 1000
-- Rows of one call; with more of them the next call comes at once.
local CHUNKS = 20
local CHAIN = { "purge", "chain" }

local removed_total = metrics.counter("removed_total", { help = "Events that were removed because of their age." })

---Begins a chain of messages; an older one ends at its next message.
function purge.begin()
  local chain = db.ulid()
  local _, reason = kv.set(CHAIN, chain)
  if not reason then
    _, reason = kv.enqueue({ chain = chain }, { queue = "purge" })
  end
  if reason then
    log.error("old events will not be removed", { reason = reason })
  end
end

local function remove_chunk(before, size)
  local rows, reason = db.query("events", {
    columns = { "id" },
    where = { happened_at = db.lt(before) },
    order_by = { { column = "happened_at" } },
    limit = size,
  })
  if not rows then
    error(reason)
  end
  if #rows == 0 then
    return 0
  end
  local ids = {}
  for index, row in ipairs(rows) do
    ids[index] = row.id
  end
  local _, failure = db.delete("events", { where = { id = db.in_list(ids) } })
  if failure then
    error(failure)
  end
  return #ids
end

---Gets the messages.
function purge.run(message)
  local chain = message.value.chain
  local entry, reason = kv.get(CHAIN)
  if not entry then
    error(reason)
  end
  if entry.value ~= chain then
    return
  end
  local size = config.get("batch_size")
  local before = db.timestamp_ago(config.get("retention_days") * 24 * 60 * 60)
  local removed, is_more = 0, true
  for _ = 1, CHUNKS do
    local count = remove_chunk(before, size)
    removed = removed + count
    is_more = count == size
    if not is_more then
      break
    end
  end
  local _, failure = db.upsert("retention", {
    values = { id = "purge", purged_at = db.timestamp(), removed = removed },
    conflict_columns = { "id" },
  })
  if failure then
    error(failure)
  end
  if removed > 0 then
    removed_total:inc(removed)
    log.info("old events were removed", { count = removed, before = before })
  end
  local _, unsent = kv.enqueue({ chain = chain }, { queue = "purge", delay = is_more and 0 or DAY_MS })
  if unsent then
    error(unsent)
  end
end

return purge
