-- id: C30 C01
-- title: A text that never ends is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  tostring(setmetatable({}, { __tostring = function() while true do end end }))
end, { public = true })
