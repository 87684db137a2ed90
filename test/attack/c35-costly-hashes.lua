-- id: C35 H20
-- title: A hash cannot ask for the memory and the time that its check takes
-- expect: refused

http.handle("GET", "/attack", function(req)
  local taken = {}
  local tail = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
  for at, cost in ipairs({ "m=4294967295,t=1,p=1", "m=8,t=4294967295,p=1", "m=65536,t=1000,p=1", "m=16777216,t=16,p=16777215" }) do
    local result = crypto.argon2_verify("$argon2id$v=19$" .. cost .. tail, "password")
    if result ~= nil then taken[#taken + 1] = at end
  end
  local ok = true
  for _ = 1, 10 do ok = ok and pcall(crypto.argon2_verify, "$argon2id$v=19$m=8,t=1,p=1" .. tail, "x") end
  if ok then taken[#taken + 1] = "many" end
  return { json = { refused = #taken == 0, taken = taken } }
end, { public = true })
