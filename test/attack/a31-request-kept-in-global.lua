-- id: A31 A32
-- title: A global made in one call is gone in the next
-- expect: refused
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  leaked_request = req
  _G.leaked_headers = req.headers
  rawish = setmetatable({}, { __index = function() return req end })
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = leaked_request == nil and leaked_headers == nil and rawish == nil } }
end, { public = true })
