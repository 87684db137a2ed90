-- id: B02 W02
-- title: A handler that returns ten thousand values is read once
-- expect: json:{"first":true}
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  local rest = {}
  for i = 1, 10000 do rest[i] = i end
  return { json = { first = true } }, table.unpack(rest)
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
