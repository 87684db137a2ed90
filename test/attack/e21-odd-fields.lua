-- id: E21 B12
-- title: Fields of the wrong type in a response break nothing
-- expect: contained

http.handle("GET", "/attack", function(req)
  return { status = "200", body = 12, headers = "x", json = nil }
end, { public = true })
