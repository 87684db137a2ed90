-- id: G01 C37
-- title: Tables and columns without number are refused
-- expect: contained

local function must_not_work(what, attempt, ...)
  local ok, result, err = pcall(attempt, ...)
  if ok and not (result == nil and err ~= nil) then error("escaped: " .. what, 0) end
  return tostring(ok and err or result)
end

http.handle("GET", "/attack", function(req)
  local columns = {}
  for i = 1, 5000 do columns[i] = { name = "c" .. i, type = "text" } end
  must_not_work("5000 columns", db.define_table, "wide", { columns = columns })
  for i = 1, 3000 do
    if not pcall(db.define_table, "t" .. i, { columns = { { name = "a", type = "text" } } }) then break end
  end
  return { json = { refused = true } }
end, { public = true })
