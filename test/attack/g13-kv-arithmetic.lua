-- id: G13
-- title: Sums neither wrap nor round nor change a type, and a refused one takes its whole commit with it
-- expect: refused

local function must_fail(what, build)
  local ok, result = pcall(function() return build(kv.atomic():set({ "mark" }, what)):commit() end)
  if ok and result ~= nil then error("escaped: " .. what, 0) end
  if kv.get({ "mark" }).versionstamp then error("escaped: half of the commit of " .. what, 0) end
end

http.handle("GET", "/attack", function(req)
  kv.set({ "u" }, kv.u64("18446744073709551615"))
  kv.set({ "n" }, 9007199254740991)
  kv.set({ "zero" }, kv.u64(0))
  kv.set({ "text" }, "1")
  kv.set({ "float" }, 0.5)
  kv.set({ "list" }, { 1 })
  kv.set({ "object" }, { n = 1 })
  kv.set({ "null" }, json.null)
  must_fail("sum over u64", function(a) return a:sum({ "u" }, 1) end)
  must_fail("sum below zero", function(a) return a:sum({ "zero" }, -1) end)
  must_fail("sum over 2^53", function(a) return a:sum({ "n" }, 1) end)
  must_fail("twice in one commit", function(a) return a:sum({ "fresh" }, 9007199254740991):sum({ "fresh" }, 1) end)
  for _, key in ipairs({ "text", "float", "list", "object", "null" }) do
    for _, step in ipairs({ "sum", "min", "max" }) do
      must_fail(step .. " of " .. key, function(a) return a[step](a, { key }, 1) end)
    end
  end
  for _, operand in ipairs({ 0.5, 0 / 0, 1 / 0, "1", true, {}, json.null, kv.bytes("1"), kv.now(), print }) do
    must_fail("the operand " .. tostring(operand), function(a) return a:sum({ "u" }, operand) end)
  end
  must_fail("no operand", function(a) return a:sum({ "u" }) end)
  for _, step in ipairs({ "append", "prepend" }) do
    must_fail(step .. " to a text", function(a) return a[step](a, { "text" }, { 1 }) end)
    must_fail(step .. " of a text", function(a) return a[step](a, { "list" }, "x") end)
  end
  must_fail("a list that grows too large", function(a)
    return a:append({ "list" }, { ("x"):rep(60000) }):append({ "list" }, { ("x"):rep(60000) })
  end)
  if tostring(kv.get({ "u" }).value) ~= "18446744073709551615" then error("escaped: the counter has changed", 0) end
  return { json = { refused = true } }
end, { public = true })
