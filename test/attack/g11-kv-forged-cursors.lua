-- id: G11
-- title: Cursors, ends of ranges and names lead nowhere but into the own namespace
-- expect: refused

local forged = {
  "AA", "_w", "//8", "AnNlY3JldAA", "cGx1Z2luOmJ5c3RhbmRlcg", "../", "%00", "\0", "\255\254", ("A"):rep(100000), "null", "{}",
  "' or 1=1 --",
}

http.handle("GET", "/attack", function(req)
  for n = 1, 20 do kv.set({ "mine", n }, n) end
  for _, cursor in ipairs(forged) do
    local page, err = kv.paginate({ prefix = { "mine" }, cursor = cursor })
    if page ~= nil then error("escaped: the cursor " .. cursor .. " is taken", 0) end
    local ok, entries = pcall(kv.paginate, { cursor = cursor, reverse = true })
    for _, entry in ipairs(ok and entries and entries.entries or {}) do
      if entry.key[1] ~= "mine" then error("escaped: an entry of somebody else", 0) end
    end
    if pcall(function() for _ in kv.list({ prefix = { "mine" }, cursor = cursor }) do end end) then
      error("escaped: a list goes on from " .. cursor, 0)
    end
  end
  local bounds = { { kv.bytes("") }, { kv.bytes("\255") }, { true }, { math.huge }, { -math.huge }, { "" }, { "\0" } }
  for _, start in ipairs(bounds) do
    for _, stop in ipairs(bounds) do
      for entry in kv.list({ prefix = { "mine" }, start = start, stop = stop }) do
        if entry.key[1] ~= "mine" then error("escaped: a range reaches out of its prefix", 0) end
      end
    end
  end
  for _, name in ipairs({ "plugin:bystander", "shared:x", "Plugin", "", "a/b", "a\0b", "a' or 1=1", ("a"):rep(64) }) do
    if pcall(kv.shared, name) then error("escaped: the name " .. name, 0) end
  end
  for _, call in ipairs({ "get", "set", "delete", "count", "paginate", "enqueue", "queue_stats", "indexes", "search" }) do
    local handle = kv.shared("bystander")
    local ok, value = pcall(handle[call], { "a" }, "x")
    if ok and value ~= nil then error("escaped: " .. call .. " without approval", 0) end
  end
  return { json = { refused = true } }
end, { public = true })
