-- id: C02 W09
-- title: pcall does not swallow the stop
-- expect: stopped

http.handle("GET", "/attack", function(req)
  while true do pcall(function() while true do end end) end
end, { public = true })
