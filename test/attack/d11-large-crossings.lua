-- id: B01 C35 D02
-- title: Large values that cross the border again and again are stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local value = {}
  for i = 1, 100000 do value[i] = { i } end
  while true do pcall(json.encode, value) end
end, { public = true })
