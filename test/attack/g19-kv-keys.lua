-- id: G19 B09 B11
-- title: Keys of any shape are refused or lead to exactly one entry
-- expect: refused

local function parts(count, part)
  local key = {}
  for n = 1, count do key[n] = part or n end
  return key
end

http.handle("GET", "/attack", function(req)
  local bad = {
    parts(21), parts(1000), parts(100000), parts(3, ("x"):rep(1000)), { ("x"):rep(1025) }, { ("é"):rep(513) },
    { kv.bytes(("\0"):rep(1025)) }, { 0 / 0 }, { {} }, { { "a" } }, { json.null }, { print }, { "\255" }, { a = 1 }, {},
    { "a", nil, "b" }, { [2] = "a" }, { kv.u64(1) }, { kv.now() }, { kv.bigint(("9"):rep(400)) }, "a", 5, true, json.null, print,
    { coroutine.create(print) },
  }
  for at = 1, 26 do
    if pcall(kv.get, bad[at]) then error("escaped: key " .. at .. " is read", 0) end
    if pcall(kv.set, bad[at], 1) then error("escaped: key " .. at .. " is written", 0) end
    if pcall(kv.delete, bad[at]) then error("escaped: key " .. at .. " is deleted", 0) end
    if pcall(kv.get_many, { { "a" }, bad[at] }) then error("escaped: key " .. at .. " among others", 0) end
  end
  local cyclic = {}
  cyclic[1] = cyclic
  if pcall(kv.get, cyclic) then error("escaped: a cycle", 0) end

  local good = {
    parts(20), parts(20, ""), parts(20, ("\0"):rep(40)), { "" }, { "\0" }, { kv.bytes("\0\255") }, { kv.bytes("") }, { kv.bytes("\0") },
    { 0 }, { -0.5 }, { 1 / 0 }, { -1 / 0 }, { math.maxinteger }, { math.mininteger }, { kv.bigint(("9"):rep(300)) }, { true },
    { false }, { "a" }, { "a", "b" }, { "a\0b" }, { "__proto__" }, { "constructor", "prototype" }, { "'; drop table kv_entries" },
  }
  for at, key in ipairs(good) do assert(kv.set(key, at)) end
  for at, key in ipairs(good) do
    if kv.get(key).value ~= at then error("escaped: key " .. at .. " leads elsewhere", 0) end
  end
  if kv.count() ~= #good then error("escaped: keys fall together", 0) end
  if kv.get({ -0.0 }).value ~= kv.get({ 0 }).value then error("escaped: zero is two keys", 0) end
  for entry in kv.list() do
    if kv.get(entry.key).value ~= entry.value then error("escaped: a key does not come back", 0) end
  end
  return { json = { refused = true } }
end, { public = true })
