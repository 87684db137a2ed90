-- id: E01 E02 E03
-- title: Headers with line ends or reserved names are not sent
-- expect: contained

http.handle("GET", "/attack", function(req)
  return { body = "x", headers = {
    ["X-A"] = "a\r\nSet-Cookie: admin=1", ["X-B\r\nSet-Cookie"] = "admin=1", [""] = "x", ["X C"] = "x", ["X-D"] = "a\0b",
    ["Set-Cookie"] = "admin=1", ["TRANSFER-Encoding"] = "chunked", ["content-length"] = "1", Connection = "close",
    ["X-E"] = ("x"):rep(1000000), ["X-F"] = "\196\138",
  } }
end, { public = true })
