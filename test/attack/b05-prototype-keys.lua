-- id: B05
-- title: Prototype names are plain keys in both directions
-- expect: refused

local function must_be_nil(what, value)
  if value ~= nil then error("escaped: " .. what .. " is a " .. type(value), 0) end
end

http.handle("GET", "/attack", function(req)
  local names = { "__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "then", "toJSON", "valueOf" }
  for _, name in ipairs(names) do
    local back = json.decode(json.encode({ [name] = { polluted = "yes" } }))
    if type(back[name]) ~= "table" or back[name].polluted ~= "yes" then error("escaped: lost key " .. name, 0) end
    must_be_nil("polluted", back.polluted)
    must_be_nil("polluted elsewhere", json.decode("{}").polluted)
  end
  return { json = { refused = true } }
end, { public = true })
