-- id: C03 C06
-- title: A variable to close does not run on after the stop
-- expect: stopped

http.handle("GET", "/attack", function(req)
  for _ = 1, 1 do
    local guard <close> = setmetatable({}, { __close = function() while true do end end })
    while true do end
  end
end, { public = true })
