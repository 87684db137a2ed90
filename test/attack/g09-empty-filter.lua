-- id: G03 G05
-- title: A filter that is missing or empty changes nothing
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
  db.insert("items", { name = "kept", n = 1 })
  local missing = nil
  must_not_work("an empty delete", db.delete, "items", { where = { name = missing } })
  must_not_work("a delete without filter", db.delete, "items", {})
  must_not_work("a delete without options", db.delete, "items")
  must_not_work("an empty update", db.update, "items", { set = { n = 2 }, where = {} })
  must_not_work("a misspelt filter", db.update, "items", { set = { n = 2 }, were = { n = 1 } })
  if db.count("items", { where = { n = 1 } }) < 1 then error("escaped: rows changed", 0) end
  return { json = { refused = true } }
end, { public = true })
