-- id: D01 D05
-- title: A table that grows for ever runs into the memory cap
-- expect: stopped
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  local t = {}
  while true do t[#t + 1] = ("x"):rep(1000) .. #t end
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
