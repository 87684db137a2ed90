-- id: C01
-- title: An iterator without end is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  for _ in pairs(setmetatable({}, { __pairs = function() return function() return 1 end end })) do end
end, { public = true })
