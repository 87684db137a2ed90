-- id: B15
-- title: An error of megabytes is cut off in the log
-- expect: error

http.handle("GET", "/attack", function(req)
  error(("x"):rep(8000000))
end, { public = true })
