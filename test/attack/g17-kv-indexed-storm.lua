-- id: G17 G07
-- title: One commit of large texts below eight indexes does not hold the lock of the file: it is refused as a whole
-- expect: refused

http.handle("GET", "/attack", function(req)
  local prefix = {}
  for n = 1, 8 do
    assert(kv.create_index(prefix, { fields = { "t" }, tokenize = "trigram" }) ~= nil)
    prefix[n] = "p"
  end
  local words = {}
  for n = 1, 8000 do words[n] = tostring(n * 7919 % 1000003) end
  local text = table.concat(words, " ")
  local commit = kv.atomic()
  for n = 1, 16 do
    prefix[9] = n
    commit:set({ table.unpack(prefix) }, { t = text })
  end
  local result, err = commit:commit()
  if result or not err:find("bytes of text for search indexes", 1, true) then
    error("escaped: " .. tostring(err), 0)
  end
  if kv.count() ~= 0 then error("escaped: a part was written", 0) end
  return { json = { refused = true } }
end, { public = true })
