-- id: A11
-- title: A member called then that holds text is plain data
-- expect: json:{"then":"soon"}

http.handle("GET", "/attack", function(req)
  return { json = { ["then"] = "soon" } }
end, { public = true })
