-- id: F11
-- title: Headers cannot split a request, and those that are too many or too long are not sent
-- expect: refused

http.handle("GET", "/attack", function(req)
  local many = {}
  for n = 1, 1000 do many["X-" .. n] = "v" end
  local attempts = {
    { ["X-A"] = "a\r\nHost: evil.example" }, { ["X-A"] = "a\nX-B: c" }, { ["X-A"] = "a\0b" }, { ["X-A\r\nX-B"] = "c" }, { [""] = "x" },
    { ["X A"] = "x" }, { ["X-A:"] = "x" }, { ["X-A"] = ("x"):rep(100000) }, many, { ["X-A"] = {} }, { ["X-A"] = "\255" }, "Host: x",
  }
  local sent = {}
  for at, headers in ipairs(attempts) do
    local ok, res = pcall(request.get, "https://127.0.0.1/", { headers = headers })
    -- Anything else would have come as far as the address.
    if ok and not (res.error and res.error:find("request header", 1, true)) then sent[#sent + 1] = at end
  end
  return { json = { refused = #sent == 0, sent = sent } }
end, { public = true })
