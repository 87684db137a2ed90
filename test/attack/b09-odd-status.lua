-- id: B09 E21
-- title: A status that is no HTTP status is an error
-- expect: error

http.handle("GET", "/attack", function(req)
  return { status = 0 / 0, body = "x" }
end, { public = true })
