-- id: D03 D05
-- title: Memory kept in an upvalue does not grow without end
-- expect: contained
-- after: the next call answers {"clean":true}

local kept = {}

http.handle("GET", "/attack", function(req)
  for i = 1, 100 do kept[#kept + 1] = ("x"):rep(100000) .. #kept end
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
