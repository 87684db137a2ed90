-- id: A29 A30
-- title: Limits and caches can be neither replaced nor reached at module scope, and odd arguments change nothing of them
-- expect: refused
-- after: the next call answers {"clean":true}

local early = {
  (pcall(gateway.rate_limit, "k", { limit = 1, window = 60 })),
  (pcall(gateway.cache.set, "k", 1)),
  (pcall(gateway.log.query)),
  (pcall(gateway.stats)),
  (pcall(gateway.shell.exclude, "reports")),
}

local function must_fail(what, attempt, ...)
  if pcall(attempt, ...) then error("escaped: " .. what, 0) end
end

local evil = setmetatable({}, {
  __index = function() return 5 end,
  __pairs = function() error("called") end,
  __tostring = function() error("called") end,
})

http.handle("GET", "/attack", function(req)
  for at, ok in ipairs(early) do
    if ok then error("escaped: attempt " .. at .. " at module scope", 0) end
  end
  for name, group in pairs({ cache = gateway.cache, log = gateway.log, shell = gateway.shell }) do
    must_fail("a new key in gateway." .. name, function() group.evil = 1 end)
    must_fail("gateway." .. name .. " replaced", function() gateway[name] = {} end)
    must_fail("its metatable", function() setmetatable(group, {}) end)
    if getmetatable(group) ~= "protected" then error("escaped: metatable of gateway." .. name, 0) end
  end
  must_fail("gateway.rate_limit replaced", function() gateway.rate_limit = print end)
  if gateway["_cache.get"] ~= nil then error("escaped: a hidden name", 0) end

  for _, number in ipairs({ 0 / 0, 1 / 0, -1, 0, 1.5, 1e308, math.mininteger, math.maxinteger }) do
    must_fail("limit " .. number, gateway.rate_limit, "k", { limit = number, window = 60 })
    must_fail("window " .. number, gateway.rate_limit, "k", { limit = 5, window = number })
    -- A cost of 0 only looks.
    if number ~= 0 then
      must_fail("cost " .. number, gateway.rate_limit, "k", { limit = 5, window = 60, cost = number })
    end
  end
  must_fail("options with a metatable", gateway.rate_limit, "k", evil)
  must_fail("a key that is no text", gateway.rate_limit, evil, { limit = 1, window = 60 })

  assert(gateway.cache.set("k", "kept"))
  local cyclic = {}
  cyclic.self = cyclic
  for _, value in ipairs({ cyclic, print, 0 / 0, { 1 / 0 }, { [print] = 1 }, "\255", coroutine.create(print) }) do
    must_fail("a value of the cache", gateway.cache.set, "k", value)
  end
  for _, ttl in ipairs({ 0 / 0, 1 / 0, 0, -1, 1e308, "", "-1m", "1e9s" }) do
    must_fail("ttl " .. ttl, gateway.cache.set, "k", 1, { ttl = ttl })
  end
  if gateway.cache.set("k", ("x"):rep(1000000)) then error("escaped: a value too large", 0) end
  if gateway.cache.set(("k"):rep(1000000), 1) then error("escaped: a key too large", 0) end
  if gateway.cache.get("k") ~= "kept" then error("escaped: the value is another one", 0) end
  for _, key in ipairs({ "__proto__", "constructor", "toString" }) do
    if gateway.cache.get(key) ~= nil then error("escaped: " .. key, 0) end
    if not gateway.cache.set(key, { __proto__ = { evil = true } }) then error("a plain key failed", 0) end
    if gateway.cache.get(key).evil ~= nil then error("escaped: through " .. key, 0) end
  end
  for _, call in ipairs({ gateway.log.query, gateway.stats }) do
    if call() ~= nil then error("escaped: it was never approved", 0) end
  end
  if gateway.shell.exclude("reports") or gateway.shell.include("reports") then error("escaped: the shell", 0) end
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  local allowed, state = gateway.rate_limit("k", { limit = 5, window = 60 })
  return { json = { clean = allowed and state.remaining == 4 and gateway.cache.get("k") == "kept" } }
end, { public = true })
