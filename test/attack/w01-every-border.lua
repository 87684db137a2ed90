-- id: W01 B01
-- title: Thirty levels through every call that takes a table
-- expect: refused
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  local value = {}
  for i = 1, 30 do value = { x = value, list = { i } } end
  for _ = 1, 60 do
    pcall(json.encode, value)
    pcall(db.query, "t", value)
    pcall(db.insert, "t", { a = value })
    pcall(log.info, "x", value)
  end
  if json.encode({ 1 }) ~= "[1]" then error("escaped: the VM is damaged", 0) end
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = json.encode({ a = 1 }) == '{"a":1}' } }
end, { public = true })
