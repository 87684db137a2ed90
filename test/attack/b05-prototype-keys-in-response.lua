-- id: B05
-- title: A response with prototype names is sent as it is
-- expect: json:{"__proto__":{"polluted":"yes"},"constructor":1,"toJSON":2}

http.handle("GET", "/attack", function(req)
  return { json = { ["__proto__"] = { polluted = "yes" }, constructor = 1, toJSON = 2 } }
end, { public = true })
