-- id: D03 W30
-- title: Catching memory errors for ever is stopped
-- expect: stopped
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  local t = {}
  while true do
    pcall(function() while true do t[#t + 1] = ("x"):rep(100000) .. #t end end)
  end
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
