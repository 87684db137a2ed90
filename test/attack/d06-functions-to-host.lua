-- id: D06 W16
-- title: Functions handed to the host are released
-- expect: contained
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  for _ = 1, 20000 do
    pcall(json.encode, function() end)
    pcall(db.transaction, function() end)
    pcall(http.handle, "GET", "/x", function() end)
  end
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
