-- id: E21
-- title: A response that is no table is an error
-- expect: error

http.handle("GET", "/attack", function(req)
  return "text"
end, { public = true })
