-- id: C08
-- title: A handler that yields ends with an error
-- expect: error

http.handle("GET", "/attack", function(req)
  coroutine.yield("nobody waits")
end, { public = true })
