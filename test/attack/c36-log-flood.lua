-- id: C36
-- title: A flood of log lines floods nothing
-- expect: contained

http.handle("GET", "/attack", function(req)
  for i = 1, 200000 do log.info("line " .. i) end
  return { json = { refused = true } }
end, { public = true })
