-- id: B05 E15
-- title: A body with prototype names pollutes nothing
-- expect: contained
-- request: POST {"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}}

local function must_be_nil(what, value)
  if value ~= nil then error("escaped: " .. what .. " is a " .. type(value), 0) end
end

http.handle("POST", "/attack", function(req)
  must_be_nil("polluted", ({}).polluted)
  must_be_nil("polluted in a decoded table", json.decode("{}").polluted)
  must_be_nil("polluted in the headers", req.headers.polluted)
  return { json = { refused = true } }
end, { public = true })
