-- id: C03 W09
-- title: xpcall does not swallow the stop
-- expect: stopped

http.handle("GET", "/attack", function(req)
  while true do
    xpcall(function() while true do end end, function() return "again" end)
  end
end, { public = true })
