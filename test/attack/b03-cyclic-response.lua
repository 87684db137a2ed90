-- id: B03
-- title: A response that contains itself is an error
-- expect: error

http.handle("GET", "/attack", function(req)
  local value = {}
  value.list = { value }
  return { json = value }
end, { public = true })
