-- id: C07
-- title: Coroutines inside coroutines end in an error
-- expect: contained
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  local function nest(depth) return coroutine.wrap(function() return nest(depth + 1) end)() end
  nest(0)
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
