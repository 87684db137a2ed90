-- id: W06 W07 W09
-- title: Stops inside coroutines inside pcall end the call
-- expect: stopped
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  while true do
    pcall(coroutine.wrap(function()
      xpcall(coroutine.wrap(function() while true do end end), function() while true do end end)
    end))
  end
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
