-- id: C15 D02
-- title: gsub that multiplies its subject is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local text = ("a"):rep(1000)
  while true do text = text:gsub("a", ("a"):rep(1000)) end
end, { public = true })
