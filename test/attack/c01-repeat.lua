-- id: C01
-- title: An endless repeat is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  repeat until false
end, { public = true })
