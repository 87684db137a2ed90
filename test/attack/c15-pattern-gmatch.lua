-- id: C15 W27
-- title: gmatch over a subject without an end is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local text = ("a"):rep(200000)
  while true do
    for _ in text:gmatch("(.-)b(.-)c") do end
  end
end, { public = true })
