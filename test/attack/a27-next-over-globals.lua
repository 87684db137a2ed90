-- id: A27
-- title: Walking _G shows nothing that is not allowed
-- expect: refused

local function must_be_nil(what, value)
  if value ~= nil then error("escaped: " .. what .. " is a " .. type(value), 0) end
end

http.handle("GET", "/attack", function(req)
  local allowed = {}
  for name in ([[_G _VERSION assert collectgarbage coroutine db error getmetatable http ipairs json log math next pairs
    pcall plugin_info print require select setmetatable string table tonumber tostring type unpack utf8 xpcall]]):gmatch("%S+") do
    allowed[name] = true
  end
  for name in pairs(_G) do
    if not allowed[name] then error("escaped: global " .. tostring(name), 0) end
  end
  for name in next, _G do
    if not allowed[name] then error("escaped: raw global " .. tostring(name), 0) end
  end
  for _, name in ipairs({ "__http_handlers", "__http_route_meta", "__http_middleware", "js", "process", "host", "null" }) do
    must_be_nil(name, _G[name])
  end
  return { json = { refused = true } }
end, { public = true })
