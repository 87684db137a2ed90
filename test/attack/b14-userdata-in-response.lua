-- id: B14
-- title: A function inside a response is an error
-- expect: error

http.handle("GET", "/attack", function(req)
  return { json = { a = { b = print } } }
end, { public = true })
