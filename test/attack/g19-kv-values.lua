-- id: G19 B03 B12
-- title: What is no value is refused, and forged tables stay plain data
-- expect: refused

local function must_fail(what, ...)
  local ok, result = pcall(kv.set, { "v" }, ...)
  if ok and result ~= nil then error("escaped: " .. what, 0) end
end

local function deep(levels)
  local value = {}
  for _ = 1, levels do value = { value } end
  return value
end

http.handle("GET", "/attack", function(req)
  local cyclic = {}
  cyclic.self = { cyclic }
  must_fail("nil")
  must_fail("a function", print)
  must_fail("a function inside", { a = { print } })
  must_fail("a coroutine", coroutine.create(print))
  must_fail("a cycle", cyclic)
  must_fail("NaN", 0 / 0)
  must_fail("infinity inside", { { 1 / 0 } })
  must_fail("64 KiB and more", ("x"):rep(64 * 1024 + 1))
  must_fail("64 KiB of bytes and more", ("\255"):rep(64 * 1024 + 1))
  must_fail("megabytes", { ("x"):rep(1024 * 1024) })
  must_fail("deep tables", deep(70))
  must_fail("deeper tables", deep(10000))
  must_fail("a table as key", { [{}] = 1 })
  must_fail("merging keys", { [1] = 1, ["1"] = 2 })
  must_fail("a key that is not UTF-8", { ["\255"] = 1 })
  must_fail("an operator of db", db.eq(1))
  must_fail("a huge integer", kv.bigint(("9"):rep(10000)) and ("9"):rep(70000))
  if pcall(kv.bigint, ("9"):rep(10001)) then error("escaped: too many digits", 0) end

  -- Fields of the tables of kv can be changed; then they are checked like any argument.
  for _, fields in ipairs({ { value = "-1" }, { value = "1e9" }, { value = 1.5 }, { value = {} }, { value = print }, { value = ("9"):rep(99) } }) do
    local counter = kv.u64(1)
    counter.value = fields.value
    must_fail("a changed counter", counter)
  end
  local time = kv.now()
  time.offset_ms = "x"
  must_fail("a changed time", time)
  if pcall(function() return time:add(1) end) then error("escaped: a changed time", 0) end
  local bytes = kv.bytes("a")
  bytes.value = nil
  must_fail("changed bytes", bytes)
  if pcall(kv.get, { bytes }) then error("escaped: changed bytes in a key", 0) end
  if getmetatable(bytes) ~= "protected" or pcall(setmetatable, {}, getmetatable(kv.now())) then
    error("escaped: the mark of a table", 0)
  end
  if pcall(setmetatable, bytes, nil) then error("escaped: a mark was taken off", 0) end

  -- A table that looks like one of kv is an object, and metamethods are never asked.
  local touched = false
  local function touch() touched = true return 1 end
  local bait = setmetatable({ value = "5" }, { __index = touch, __pairs = touch, __len = touch, __tostring = touch,
    __call = touch, __name = "kv.u64", __eq = touch, __close = touch, __metatable = "protected" })
  assert(kv.set({ "bait" }, bait))
  assert(kv.set({ "forged" }, { __type = "u64", value = "7" }))
  assert(kv.set({ "time" }, { ["$now"] = true, ["$offset"] = 5 }))
  local forged = kv.get({ "forged" }).value
  if type(forged) ~= "table" or forged.__type ~= "u64" then error("escaped: a forged tag", 0) end
  local moment = kv.get({ "time" }).value
  if type(moment) ~= "table" or moment["$now"] ~= true then error("escaped: a forged time", 0) end
  if pcall(function() return kv.atomic():sum({ "forged" }, 1):commit().ok end) then error("escaped: a sum on a forged tag", 0) end
  pcall(kv.get, setmetatable({}, { __index = touch, __len = touch }))
  pcall(kv.get, { bait })
  pcall(kv.list, bait)
  pcall(kv.set, { "a" }, 1, bait)
  if touched then error("escaped: a metamethod ran", 0) end
  return { json = { refused = true } }
end, { public = true })
