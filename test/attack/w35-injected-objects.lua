-- id: W35 W37 W33
-- title: No object of the host is injected
-- expect: refused

local function must_be_nil(what, value)
  if value ~= nil then error("escaped: " .. what .. " is a " .. type(value), 0) end
end

http.handle("GET", "/attack", function(req)
  for _, name in ipairs({ "Promise", "Error", "null", "undefined", "Buffer", "process", "globalThis", "Function", "Object", "js", "window", "sleep" }) do
    must_be_nil(name, _G[name])
  end
  return { json = { refused = true } }
end, { public = true })
