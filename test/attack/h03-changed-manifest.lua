-- id: H03
-- title: Changing the manifest during a call changes nothing
-- expect: refused
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  pcall(function() plugin_info.name = "task_tracker" plugin_info.version = "99" end)
  pcall(function() plugin_info = { name = "other" } end)
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
