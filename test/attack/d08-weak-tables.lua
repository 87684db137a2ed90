-- id: D08 CVE-2024-46981
-- title: Weak tables at the memory cap do not break the VM
-- expect: contained
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  local weak = setmetatable({}, { __mode = "kv" })
  setmetatable(weak, { __mode = "kv", __newindex = setmetatable({}, { __mode = "v" }) })
  local function web()
    for i = 1, 1000000000 do
      weak[{}] = function() return weak, i end
      weak[i] = { i, tostring(i):rep(100) }
    end
  end
  web()
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
