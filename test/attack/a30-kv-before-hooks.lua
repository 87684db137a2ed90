-- id: A30 H13
-- title: Handles and commits that module scope makes have an effect only where the store may be used
-- expect: refused
-- after: the next call answers {"clean":true}

local shared = kv.shared("news")
local pending = kv.atomic():set({ "pending" }, 1)
local attempts = {
  (pcall(pending.commit, pending)),
  (pcall(kv.get, { "a" })),
  (pcall(shared.set, { "a" }, 1)),
  (pcall(kv.transaction, function() end)),
  (pcall(function() for _ in kv.list() do end end)),
}

http.handle("GET", "/attack", function(req)
  for at, ok in ipairs(attempts) do
    if ok then error("escaped: attempt " .. at .. " at module scope", 0) end
  end
  if pcall(kv.listen, "late", print) then error("escaped: a late listener", 0) end
  if pcall(kv.on_change, {}, print) then error("escaped: a late trigger", 0) end
  if kv.count() ~= 0 then error("escaped: something was written", 0) end
  local result = pending:commit()
  if not result.ok then error("a commit of this call failed", 0) end
  if pcall(pending.commit, pending) then error("escaped: one commit was made twice", 0) end
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  -- This may be another VM, with a commit of its own at module scope that nobody has made yet.
  pcall(pending.commit, pending)
  return { json = { clean = kv.count() == 1 } }
end, { public = true })
