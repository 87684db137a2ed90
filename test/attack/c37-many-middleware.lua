-- id: C37
-- title: Middleware without number does not hurt the host
-- expect: contained

for _ = 1, 2000 do pcall(http.use, function() end) end

http.handle("GET", "/attack", function(req)
  return { json = { refused = true } }
end, { public = true })
