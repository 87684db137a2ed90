-- id: G01
-- title: Names that are no identifiers are refused wherever a table is named
-- expect: refused

local function must_not_work(what, attempt, ...)
  local ok, result, err = pcall(attempt, ...)
  if ok and not (result == nil and err ~= nil) then error("escaped: " .. what, 0) end
  return tostring(ok and err or result)
end

http.handle("GET", "/attack", function(req)
  local names = {
    "users; DROP TABLE x--", 'a"".b', "`a`", "a'b", "", ("x"):rep(300), "a b", "a.b", "\0", "items\0x", "é", "*", "1a", "a-b",
    'items" JOIN sqlite_master --', "main.items", "(select 1)",
  }
  for _, name in ipairs(names) do
    must_not_work("query " .. name:sub(1, 30), db.query, name)
    must_not_work("insert " .. name:sub(1, 30), db.insert, name, { a = 1 })
    must_not_work("define " .. name:sub(1, 30), db.define_table, name, { columns = { { name = "a", type = "text" } } })
    must_not_work("delete " .. name:sub(1, 30), db.delete, name, { where = { a = 1 } })
  end
  return { json = { refused = true } }
end, { public = true })
