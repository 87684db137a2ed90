-- id: C35
-- title: Digests of large texts without end are ended like any other work
-- expect: contained

http.handle("GET", "/attack", function(req)
  local text = string.rep("x", 4000000)
  while true do pcall(crypto.sha512, text) end
end, { public = true })
