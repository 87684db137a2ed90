-- id: A31 A32
-- title: A global made in a call that raises is gone in the next
-- expect: error
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  leaked_before_error = req
  pcall(function() leaked_inside = req error("x") end)
  coroutine.wrap(function() leaked_in_coroutine = req end)()
  error("on purpose")
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = leaked_before_error == nil and leaked_inside == nil and leaked_in_coroutine == nil } }
end, { public = true })
