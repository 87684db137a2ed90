-- id: W10
-- title: A handler that raises infinity fails like any other
-- expect: error

http.handle("GET", "/attack", function(req)
  error(math.huge)
end, { public = true })
