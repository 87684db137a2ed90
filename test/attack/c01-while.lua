-- id: C01
-- title: An endless while loop is stopped
-- expect: stopped
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  while true do end
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
