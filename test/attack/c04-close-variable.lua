-- id: C03 C06
-- title: A variable that closes in a loop is stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  pcall(function()
    local guard <close> = setmetatable({}, { __close = function() while true do end end })
    error("close it")
  end)
end, { public = true })
