-- id: B01 W01
-- title: A response nested a thousand deep is an error and no crash
-- expect: error

http.handle("GET", "/attack", function(req)
  local value = {}
  local at = value
  for _ = 1, 1000 do
    at.x = {}
    at = at.x
  end
  return { json = value }
end, { public = true })
