-- id: C26 D02
-- title: format cannot make more than memory holds
-- expect: contained

http.handle("GET", "/attack", function(req)
  local text = ("x"):rep(16000000)
  string.format(("%s"):rep(200), table.unpack((function() local t = {} for i = 1, 200 do t[i] = text end return t end)()))
end, { public = true })
