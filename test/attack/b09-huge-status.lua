-- id: E21 B09
-- title: A status beyond the range is an error
-- expect: error

http.handle("GET", "/attack", function(req)
  return { status = math.maxinteger, body = "x" }
end, { public = true })
