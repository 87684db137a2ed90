-- id: C01
-- title: Endless tail calls are stopped
-- expect: stopped

http.handle("GET", "/attack", function(req)
  local function f() return f() end
  return f()
end, { public = true })
