-- id: B12 B13
-- title: The response is read without metamethods
-- expect: contained

http.handle("GET", "/attack", function(req)
  local function spy() while true do end end
  return setmetatable({ json = setmetatable({ a = 1 }, { __pairs = spy, __index = spy, __len = spy }) }, { __index = spy })
end, { public = true })
