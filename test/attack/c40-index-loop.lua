-- id: C01
-- title: A metamethod that loops is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local t = setmetatable({}, { __index = function() while true do end end })
  return t.x
end, { public = true })
