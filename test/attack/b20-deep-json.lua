-- id: B20 CVE-2018-11218
-- title: Deep JSON is refused by the decoder
-- expect: refused

http.handle("GET", "/attack", function(req)
  for _, text in ipairs({ ("["):rep(100000), ("["):rep(100000) .. ("]"):rep(100000), ('{"a":'):rep(50000) .. "1" .. ("}"):rep(50000) }) do
    local ok, value = pcall(json.decode, text)
    if ok and value ~= nil then error("escaped: deep JSON was decoded", 0) end
  end
  return { json = { refused = true } }
end, { public = true })
