-- id: C11 C30
-- title: A table that is its own __call is stopped or an error
-- expect: contained

http.handle("GET", "/attack", function(req)
  local t = setmetatable({}, {})
  getmetatable(t).__call = t
  while true do pcall(function() return t() end) end
end, { public = true })
