-- id: B02 W02
-- title: Two hundred nested pcalls do not break the stack
-- expect: contained
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  local function f() return pcall(f) end
  f()
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
