-- id: C02 W09
-- title: coroutine.resume does not swallow the stop
-- expect: stopped

http.handle("GET", "/attack", function(req)
  while true do
    coroutine.resume(coroutine.create(function() while true do end end))
    pcall(coroutine.wrap(function() while true do end end))
  end
end, { public = true })
