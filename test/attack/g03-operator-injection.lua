-- id: G03 A09
-- title: A decoded JSON object is never an operator
-- expect: refused

local function must_not_work(what, attempt, ...)
  local ok, result, err = pcall(attempt, ...)
  if ok and not (result == nil and err ~= nil) then error("escaped: " .. what, 0) end
  return tostring(ok and err or result)
end

function on_init()
  db.define_table("items", { columns = { { name = "name", type = "text" }, { name = "n", type = "integer" } } })
end

http.handle("GET", "/attack", function(req)
  db.insert("items", { name = "secret", n = 1 })
  for _, text in ipairs({ '{"__op":"neq","__val":"x"}', '{"op":"neq","value":"x"}', '{"$ne":"x"}', '{"tag":"db.condition","fields":{"op":"neq"}}' }) do
    local ok, rows = pcall(db.query, "items", { where = { name = json.decode(text) } })
    if ok and rows and #rows > 0 then error("escaped: an operator out of JSON", 0) end
    must_not_work("deleting by it", function()
      local ok2, err = db.delete("items", { where = { name = json.decode(text) } })
      if db.count("items") > 0 then error("kept") end
      return ok2, err
    end)
  end
  return { json = { refused = true } }
end, { public = true })
