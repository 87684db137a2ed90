-- id: C01 D02
-- title: Concatenating for ever is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local s = "" while true do s = s .. "x" end
end, { public = true })
