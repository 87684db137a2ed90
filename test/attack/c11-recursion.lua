-- id: C11 C32 CVE-2021-32626
-- title: Endless recursion is an error and leaves the VM well
-- expect: contained
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  local function f() return 1 + f() end
  f()
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
