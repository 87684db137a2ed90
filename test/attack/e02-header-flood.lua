-- id: E02
-- title: Ten thousand headers break nothing
-- expect: contained

http.handle("GET", "/attack", function(req)
  local headers = {}
  for i = 1, 10000 do headers["x-" .. i] = "v" end
  return { body = "x", headers = headers }
end, { public = true })
