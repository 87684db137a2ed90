-- id: A01 B05
-- title: Prototype names in the request table are data
-- expect: refused

local function must_be_nil(what, value)
  if value ~= nil then error("escaped: " .. what .. " is a " .. type(value), 0) end
end

http.handle("GET", "/attack", function(req)
  for _, part in ipairs({ req, req.headers, req.query, req.params }) do
    must_be_nil("__proto__", part.__proto__)
    must_be_nil("constructor", part.constructor)
    must_be_nil("toString", part.toString)
    part.__proto__ = { polluted = "yes" }
  end
  must_be_nil("polluted", ({}).polluted)
  must_be_nil("polluted in a decoded table", json.decode("{}").polluted)
  return { json = { refused = true } }
end, { public = true })
