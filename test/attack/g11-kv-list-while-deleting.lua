-- id: G11 C35
-- title: A list over entries that its own loop deletes and writes comes to an end
-- expect: contained
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  kv.set({ "n", 1 }, 1)
  for entry in kv.list({ batch = 1 }) do
    kv.delete(entry.key)
    kv.set({ "n", entry.key[2] + 1 }, 1)
  end
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  -- The call may have been stopped between its delete and its write.
  return { json = { clean = kv.count() <= 1 } }
end, { public = true })
