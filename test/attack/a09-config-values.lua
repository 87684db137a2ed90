-- id: A09 H20
-- title: Values of the configuration are copies, and hold neither other sections nor secrets of the host
-- expect: refused
-- after: the next call answers {"clean":true}

config_at_load = config.get()
local reached = {
  "__proto__", "__proto__.polluted", "constructor", "constructor.prototype", "toString", "..", ".", "", "a.b.c",
  "plugins", "server.port", "data_directory", "auth", "enabled", string.rep("a.", 100000),
}
http.handle("GET", "/attack", function(req)
  for _, key in ipairs(reached) do
    if config.get(key) ~= nil then error("escaped: " .. key:sub(1, 40), 0) end
  end
  local all = config.get()
  all.changed = true
  all["__proto__"] = { polluted = true }
  if pcall(function() config.get = function() return 1 end end) then error("escaped: the module is open", 0) end
  if pcall(config.get, {}) or pcall(config.get, true) then error("escaped: odd keys", 0) end
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = next(config.get()) == nil and config.get("polluted") == nil } }
end, { public = true })
