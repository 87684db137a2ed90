-- id: B15
-- title: An error whose text raises is an error
-- expect: error

http.handle("GET", "/attack", function(req)
  error(setmetatable({}, { __tostring = function() error("again") end }))
end, { public = true })
