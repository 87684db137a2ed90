-- id: H03 B12
-- title: A manifest with metamethods is read without calling them
-- expect: contained

plugin_info = setmetatable(plugin_info, { __index = function() while true do end end, __pairs = function() while true do end end })

http.handle("GET", "/attack", function(req)
  return { json = { refused = true } }
end, { public = true })
