-- id: E21
-- title: A handler that returns nothing is an error
-- expect: error

http.handle("GET", "/attack", function(req)
  local _ = req
end, { public = true })
