-- id: G03
-- title: The fields of an operator cannot be read, copied or changed into another
-- expect: refused

function on_init()
  db.define_table("items", { columns = { { name = "name", type = "text" }, { name = "n", type = "integer" } } })
end

http.handle("GET", "/attack", function(req)
  local operator = db.eq("x")
  local copy = {}
  for key, value in pairs(operator) do copy[key] = value end
  db.insert("items", { name = "secret", n = 1 })
  local ok, rows = pcall(db.query, "items", { where = { name = copy } })
  if ok and rows and #rows > 0 then error("escaped: a copied operator works", 0) end
  for _, forged in ipairs({ "= 1 OR 1 =", "neq; DROP TABLE x", "IS NOT NULL --", "__proto__", "constructor" }) do
    pcall(function() operator.op = forged operator.__op = forged operator.operator = forged operator.tag = forged end)
    local ok2, rows2 = pcall(db.query, "items", { where = { name = operator } })
    if ok2 and rows2 and #rows2 > 0 then error("escaped: the operator " .. forged .. " works", 0) end
  end
  return { json = { refused = true } }
end, { public = true })
