-- id: B15
-- title: An error without a value ends the call like any other
-- expect: error

http.handle("GET", "/attack", function(req)
  error(nil)
end, { public = true })
