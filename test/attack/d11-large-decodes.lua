-- id: B20 C35 D01
-- title: Large JSON that is decoded again and again is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local text = "[" .. ("[1],"):rep(200000) .. "1]"
  while true do pcall(json.decode, text) end
end, { public = true })
