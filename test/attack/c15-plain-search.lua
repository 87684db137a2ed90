-- id: C15 W27
-- title: A search for a long text that almost occurs is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local text, wanted = ("a"):rep(8000000), ("a"):rep(4000000) .. "b"
  while true do text:find(wanted, 1, true) end
end, { public = true })
