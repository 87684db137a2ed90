-- id: B01 W01
-- title: Tables of thirty levels cross the border unharmed
-- expect: json:{"depth":30}

http.handle("GET", "/attack", function(req)
  local value = {}
  local at = value
  for _ = 1, 30 do
    at.x = {}
    at = at.x
  end
  local back, depth = json.decode(json.encode(value)), 0
  while back.x do
    back = back.x
    depth = depth + 1
  end
  return { json = { depth = depth } }
end, { public = true })
