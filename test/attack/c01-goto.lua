-- id: C01
-- title: An endless goto is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  ::again::
  goto again
end, { public = true })
