-- id: H14 W03 W04 W05 W08
-- title: Thousands of host calls in one request leave no trace
-- expect: refused
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  for i = 1, 2000 do
    json.decode(json.encode({ i, { a = "b" } }))
    pcall(error, {})
    pcall(json.decode, "{")
    coroutine.wrap(function() return i end)()
  end
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = collectgarbage("count") < 20000 } }
end, { public = true })
