-- id: B11
-- title: Bytes that are no UTF-8 do not break the encoder
-- expect: refused

http.handle("GET", "/attack", function(req)
  for _, text in ipairs({ "a\0b", "\xff\xfe", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80", ("\xff"):rep(100000) }) do
    pcall(json.encode, { text })
    pcall(json.decode, text)
    pcall(log.info, text)
    pcall(db.query, text)
    pcall(db.insert, "t", { [text] = text })
  end
  if json.decode(json.encode("a\0b")) ~= "a\0b" then error("escaped: NUL cut a string off", 0) end
  return { json = { refused = true } }
end, { public = true })
