-- id: B03 D02
-- title: A small table that unfolds into gigabytes is refused
-- expect: contained

http.handle("GET", "/attack", function(req)
  local t = { "xxxxxxxxxxxxxxxx" }
  for _ = 1, 40 do t = { t, t } end
  return { json = t }
end, { public = true })
