-- id: G19 A40
-- title: Tables of the module that a plugin has changed or made itself are refused, with no trace of the host
-- expect: refused
-- after: the next call answers {"clean":true}

local function refused(what, fn, ...)
  local ok, result, err = pcall(fn, ...)
  local text = ok and (result == nil and err or nil) or result
  if type(text) ~= "string" then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  for _, word in ipairs({ "node_modules", ".js", "/tmp", "/home", "file:", "SqliteError", "Cannot read", "not a function", "kv_entries" }) do
    if text:find(word, 1, true) then error("escaped: " .. what .. " shows " .. text, 0) end
  end
end

local function changed(value, field, content)
  value[field] = content
  return value
end

http.handle("GET", "/attack", function(req)
  local makers = {
    u64 = function() return kv.u64(1) end,
    bigint = function() return kv.bigint(1) end,
    bytes = function() return kv.bytes("a") end,
  }
  local odd = { u64 = { "-1", "18446744073709551616", "x", 1.5, 0 / 0, true, {}, print, ("9"):rep(20001) } }
  odd.bigint = { "1e3", " 1", "x", 1.5, 1 / 0, false, {}, print, ("9"):rep(20001) }
  odd.bytes = { 1, true, {}, print }
  for name, contents in pairs(odd) do
    for at, content in ipairs(contents) do
      local what = name .. " " .. at
      refused(what, function() return kv.set({ "a" }, changed(makers[name](), "value", content)) end)
      refused(what .. " inside", function() return kv.enqueue({ { changed(makers[name](), "value", content) } }) end)
      refused(what .. " as a key", function() return kv.get({ changed(makers[name](), "value", content) }) end)
    end
    refused(name .. " of nothing", function() return kv.set({ "a" }, changed(makers[name](), "value", nil)) end)
    local self = makers[name]()
    self.value = self
    refused(name .. " of itself", kv.set, { "a" }, self)
    refused(name .. " as text", tostring, self)
    if type(getmetatable(makers[name]())) == "table" then error("escaped: the metatable of " .. name, 0) end
  end
  for at, offset in ipairs({ 0 / 0, 1 / 0, 1e300, 0.5, "1", true, {}, 2 ^ 53 }) do
    refused("now " .. at, function() return kv.set({ "a" }, changed(kv.now(), "offset_ms", offset)) end)
    refused("where now " .. at, function()
      return kv.count({}, { where = { a = changed(kv.now(), "offset_ms", offset) } })
    end)
    refused("now:add " .. at, function() return kv.now():add(offset) end)
  end
  refused("now in a key", kv.get, { kv.now() })
  refused("u64 in a key", kv.get, { kv.u64(1) })
  refused("a column", kv.set, { "a" }, { db and db.gt and db.gt(1) or print })
  refused("a builder as value", kv.set, { "a" }, { kv.atomic() , print })
  refused("a forged builder", function() return kv.atomic().commit(setmetatable({}, { __index = kv.atomic() })) end)
  refused("fields of a builder", function() kv.atomic().steps = {} end)
  refused("a metatable", setmetatable, kv.atomic(), {})
  refused("methods of a builder", rawset, getmetatable(kv.atomic()), "__index", {})
  refused("a forged entry", function() return kv.atomic():check({ key = { "a" }, versionstamp = {} }):commit() end)
  refused("a forged stamp", function() return kv.atomic():check({ "a" }, ("f"):rep(20)):commit() end)
  refused("an operator", kv.count, {}, { where = { __proto__ = { ["$constructor"] = 1 } } })
  refused("options", kv.set, { "a" }, 1, { ["__proto__"] = { expires_in = 1 } })
  refused("a queue of changes", kv.enqueue, 1, { queue = "$changes-00000000000000000000000000000000" })
  refused("a namespace", kv.shared, 'x" .. os .. "')
  refused("another plugin", kv.shared, "plugin:bystander")
  refused("a shared namespace", kv.shared("core").get, { "a" })
  refused("a shared builder", function() return kv.shared("core").atomic():set({ "a" }, 1):commit() end)
  refused("a shared list", function() for _ in kv.shared("core").list() do end end)
  refused("a hidden function", function() return kv._shared_get({ "a" }, "core") end)
  local kept
  kv.transaction(function(tx) kept = tx tx:set({ "t" }, 1) end)
  refused("a transaction that is over", kept.set, kept, { "t" }, 2)
  kv.delete({ "t" })
  return { json = { refused = kv.count() == 0 and kv.queue_stats().total == 0 } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = kv.count() == 0 and kv.set({ "x" }, kv.u64(3)).ok == true } }
end, { public = true })
