-- id: C01 C39
-- title: Middleware that loops is stopped
-- expect: stopped

http.use(function() while true do end end)

http.handle("GET", "/attack", function(req)
  return { json = { refused = true } }
end, { public = true })
