-- id: W31 W32 D02
-- title: Values of the host that do not fit into memory end the call and not the process
-- expect: contained
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  local text = "[" .. ("1,"):rep(2000000) .. "1]"
  local kept = {}
  while true do kept[#kept + 1] = json.decode(text) end
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
