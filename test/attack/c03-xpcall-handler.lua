-- id: C03
-- title: A message handler that loops is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  xpcall(error, function() while true do end end)
end, { public = true })
