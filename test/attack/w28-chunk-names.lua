-- id: W28
-- title: Errors name the file of the plugin and show none of its source
-- expect: refused

http.handle("GET", "/attack", function(req)
  local secret = "hunter2"
  local _, message = pcall(function() return nil + secret end)
  if message:find("[string", 1, true) or message:find("hunter2", 1, true) then error("escaped: source in " .. message, 0) end
  if not message:find("init.lua:", 1, true) then error("escaped: no file in " .. message, 0) end
  if message:find("^/") or message:find("plugins/", 1, true) then error("escaped: path in " .. message, 0) end
  return { json = { refused = true } }
end, { public = true })
