-- id: C36 E27
-- title: Lines in a log message stay one entry
-- expect: refused

http.handle("GET", "/attack", function(req)
  log.info("x\n{\"level\":50,\"msg\":\"forged\"}\r\n\27[31m\0")
  log.warn(("x"):rep(1000000))
  pcall(log.error, "x", { ["\n"] = "\n", level = "fatal", plugin = "other", request_id = "forged" })
  return { json = { refused = true } }
end, { public = true })
