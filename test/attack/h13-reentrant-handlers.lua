-- id: H13 H18
-- title: A handler that calls itself through a kept reference is only Lua
-- expect: contained

function handler(req) local ok, value = pcall(handler, req) return value end

http.handle("GET", "/attack", function(req)
  depth = (depth or 0) + 1
  if depth > 100000 then return { json = { refused = true } } end
  return handler(req)
end, { public = true })
