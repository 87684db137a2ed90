-- id: B21
-- title: Odd JSON has a documented result and breaks nothing
-- expect: refused

http.handle("GET", "/attack", function(req)
  local texts = {
    "1e400", "-0", ("9"):rep(400), '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', "[1,]", "{,}", "nul", "", " ", "\xef\xbb\xbf{}",
    '{"a":1,"a":2}', "[1 2]", '"\1"', "NaN", "Infinity", "01", "1.", ".5", "+1", "0x10", "[" , '{"a"', "\0", '"' .. ("\\"):rep(99999),
  }
  for _, text in ipairs(texts) do
    local ok, value = pcall(json.decode, text)
    if ok and type(value) == "function" then error("escaped: a function out of JSON", 0) end
  end
  for _, value in ipairs({ {}, print, true, 1 }) do pcall(json.decode, value) end
  return { json = { refused = true } }
end, { public = true })
