-- id: A02 A11 B14
-- title: A response that looks like a promise is not awaited
-- expect: contained

http.handle("GET", "/attack", function(req)
  return { json = { ["then"] = function() while true do end end }, ["then"] = function() end }
end, { public = true })
