-- id: B09
-- title: A response with NaN breaks nothing
-- expect: contained

http.handle("GET", "/attack", function(req)
  return { json = { 0 / 0, 1 / 0 } }
end, { public = true })
