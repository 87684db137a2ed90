-- id: A14 C36
-- title: A flood of print with control characters floods nothing
-- expect: contained

http.handle("GET", "/attack", function(req)
  local line = ("\27[2J\r\n\0"):rep(2000)
  for _ = 1, 3000 do print(line, line) end
  return { json = { refused = true } }
end, { public = true })
