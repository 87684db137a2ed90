-- id: G13 G07
-- title: A thousand small steps on a large list do not hold the lock of the file: the commit is refused as a whole
-- expect: refused

http.handle("GET", "/attack", function(req)
  local list = {}
  for n = 1, 15000 do list[n] = "x" end
  assert(kv.set({ "list" }, list))
  local commit = kv.atomic():set({ "mark" }, 1)
  for _ = 1, 900 do commit:append({ "list" }, {}) end
  local result, err = commit:commit()
  if result or not err:find("bytes of entries that steps go on from", 1, true) then
    error("escaped: " .. tostring(err), 0)
  end
  if kv.get({ "mark" }).value ~= nil then error("escaped: a part was written", 0) end
  assert(kv.atomic():append({ "list" }, { "y" }):append({ "list" }, { "z" }):commit())
  return { json = { refused = #kv.get({ "list" }).value == 15002 } }
end, { public = true })
