-- id: G01 G03
-- title: Tables of the host stay closed to a plugin that nobody has approved for them
-- expect: refused

plugin_info.core_access = {
  content_data = { "read", "write" },
  users = { "read" },
  plugins = { "read", "write" },
}

local tables = { "content_data", "media", "datatypes", "change_events", "users", "plugins", "plugin_routes", "sqlite_master" }

http.handle("GET", "/attack", function(req)
  for _, name in ipairs(tables) do
    local calls = {
      function() return core.query(name, { columns = { "*" } }) end,
      function() return core.query(name) end,
      function() return core.query_one(name, { where = { id = db.gt("") } }) end,
      function() return core.count(name) end,
      function() return core.exists(name) end,
      function() return core.insert(name, { id = "x", approved = 1 }) end,
      function() return core.update(name, { set = { approved = 1 }, where = { id = db.neq("") } }) end,
      function() return core.delete(name, { where = { id = db.neq("") } }) end,
    }
    for index, call in ipairs(calls) do
      local ok, value = pcall(call)
      if ok and value ~= nil then error("escaped: core call " .. index .. " on " .. name .. " gave a value", 0) end
    end
  end
  return { json = { refused = true } }
end, { public = true })
