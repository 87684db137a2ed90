-- id: C27
-- title: A padded pack of gigabytes runs into the memory cap
-- expect: contained

http.handle("GET", "/attack", function(req)
  return { body = string.pack("c2147483647", "x") }
end, { public = true })
