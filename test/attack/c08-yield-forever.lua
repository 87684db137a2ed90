-- id: C08
-- title: A coroutine that yields for ever is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local turn = coroutine.wrap(function() while true do coroutine.yield() end end)
  while true do turn() end
end, { public = true })
