-- id: B15
-- title: An error whose text never ends is cut off
-- expect: contained

http.handle("GET", "/attack", function(req)
  error(setmetatable({}, { __tostring = function() while true do end end }))
end, { public = true })
