-- id: D02 E21
-- title: A response beyond the limit is an error
-- expect: contained

http.handle("GET", "/attack", function(req)
  return { body = ("x"):rep(12000000) }
end, { public = true })
