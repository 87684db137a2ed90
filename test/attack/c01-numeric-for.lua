-- id: C01
-- title: A loop to the largest integer is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  for _ = 1, math.maxinteger do end
end, { public = true })
