-- id: B01 D02
-- title: A response of a million small values is bounded
-- expect: contained

http.handle("GET", "/attack", function(req)
  local t = {}
  for i = 1, 400000 do t[i] = { i } end
  return { json = t }
end, { public = true })
