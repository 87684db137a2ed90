-- id: C07
-- title: Coroutines without number are stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local kept = {}
  while true do kept[#kept + 1] = coroutine.create(function() while true do coroutine.yield() end end) coroutine.resume(kept[#kept]) end
end, { public = true })
