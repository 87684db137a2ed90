-- id: C03 C06 W39
-- title: A variable that closes in a loop does not outlive an error that ends the call
-- expect: contained
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  local guard <close> = setmetatable({}, { __close = function() while true do end end })
  error("close it")
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
