-- id: C25 D01
-- title: A constructor with values without end is bounded
-- expect: contained

http.handle("GET", "/attack", function(req)
  local function many() return table.unpack({}, 1, 900000) end
  for _ = 1, 1000 do local _ = { many() } end
  return { json = { refused = true } }
end, { public = true })
