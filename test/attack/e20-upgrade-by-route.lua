-- id: E20 E21
-- title: A route switches no protocols
-- expect: error

http.handle("GET", "/attack", function()
  return { status = 101, headers = { Upgrade = "websocket", Connection = "Upgrade", ["Sec-WebSocket-Accept"] = "x" } }
end, { public = true })
