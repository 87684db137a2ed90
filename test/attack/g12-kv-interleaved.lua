-- id: G12
-- title: Commits and transactions that overtake each other in coroutines lose no update
-- expect: refused

http.handle("GET", "/attack", function(req)
  kv.set({ "n" }, 0)
  local threads = {}
  for n = 1, 5 do
    threads[n] = coroutine.wrap(function()
      return kv.transaction(function(tx)
        local value = tx:get({ "n" }).value
        coroutine.yield()
        tx:set({ "n" }, value + 1)
      end, { max_retries = 100 })
    end)
  end
  local done = 0
  for _ = 1, 100 do
    for n = 1, 5 do
      local result = threads[n] and threads[n]()
      if result then
        if not result.ok then error("escaped: a transaction gave up", 0) end
        threads[n], done = false, done + 1
      end
    end
  end
  if done ~= 5 or kv.get({ "n" }).value ~= 5 then error("escaped: an update was lost", 0) end

  local entry = kv.get({ "n" })
  local won = 0
  for _ = 1, 5 do
    if kv.atomic():check(entry):sum({ "n" }, 1):commit().ok then won = won + 1 end
  end
  if won ~= 1 or kv.get({ "n" }).value ~= 6 then error("escaped: " .. won .. " commits won", 0) end

  -- Builders are no coroutines, lists and handles of others.
  local list = kv.list()
  local atomic = kv.atomic()
  for _, forged in ipairs({ {}, list, setmetatable({}, { __index = atomic }), "x", 5 }) do
    if pcall(atomic.set, forged, { "a" }, 1) or pcall(atomic.commit, forged) then error("escaped: a forged builder", 0) end
    if pcall(list.cursor, forged) and forged ~= list then error("escaped: a forged list", 0) end
  end
  if pcall(setmetatable, atomic, {}) or getmetatable(atomic) ~= "protected" then error("escaped: a metatable", 0) end
  local again = coroutine.wrap(function() return atomic:set({ "late" }, 1):commit() end)
  if not again().ok then error("a commit in a coroutine failed", 0) end
  return { json = { refused = true } }
end, { public = true })
