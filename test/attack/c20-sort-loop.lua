-- id: C20
-- title: A comparator that loops is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  table.sort({ 3, 2, 1 }, function() while true do end end)
end, { public = true })
