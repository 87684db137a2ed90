-- id: G17 C35
-- title: A storm of large values ends at the operations of the call and harms nobody
-- expect: refused
-- after: the next call answers {"clean":true}

http.handle("GET", "/attack", function(req)
  local value = ("x"):rep(64 * 1024 - 2)
  local stored = 0
  for n = 1, 100000 do
    local ok, result = pcall(kv.set, { "fill", n % 50 }, value)
    if not ok then break end
    if result then stored = stored + 1 end
    if n == 100000 then error("escaped: there is no end", 0) end
    if n > 300 then break end
  end
  local left = 0
  for _ = 1, 2000 do
    if not pcall(kv.get, { "nothing" }) then break end
    left = left + 1
  end
  if left >= 2000 then error("escaped: operations have no end", 0) end
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  local gone = kv.delete({ "fill" }, { exact = false })
  return { json = { clean = gone == 50 and kv.count() == 0 } }
end, { public = true })
