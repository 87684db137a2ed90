-- id: D02
-- title: A string that doubles runs into the memory cap
-- expect: stopped
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  local s = "x"
  while true do s = s .. s end
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
