-- id: B15
-- title: An error that is a table ends the call like any other
-- expect: error

http.handle("GET", "/attack", function(req)
  error({ code = 1 })
end, { public = true })
