-- When a token was last used: written at most once a minute, and not while somebody waits for an answer.

local usage = {}

---Called for each request with a token.
function usage.tell(id)
  if not gateway.rate_limit("used:" .. id, { limit = 1, window = "1m" }) then
    return
  end
  local _, reason = kv.enqueue({ id = id, at = db.timestamp() }, { queue = "used" })
  if reason then
    -- The request has nothing to do with it.
    log.warn("the use of a token could not be noted", { token = id, reason = reason })
  end
end

---Gets what `tell` has sent. One that comes twice, or late, changes nothing.
function usage.note(message)
  local id, at = message.value.id, message.value.at
  local row = db.query_one("tokens", { where = { id = id }, columns = { "last_used_at" } })
  if not row or (row.last_used_at and row.last_used_at >= at) then
    return
  end
  local _, reason = db.update("tokens", { set = { last_used_at = at }, where = { id = id } })
  if reason then
    error(reason)
  end
end

return usage
