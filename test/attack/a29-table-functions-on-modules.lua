-- id: A29 A27
-- title: Table functions cannot write past the freezing
-- expect: refused

local function must_be_nil(what, value)
  if value ~= nil then error("escaped: " .. what .. " is a " .. type(value), 0) end
end

http.handle("GET", "/attack", function(req)
  for _, module in ipairs({ db, json, string, math }) do
    pcall(table.sort, module)
    pcall(table.remove, module)
    pcall(table.remove, module, 1)
    pcall(table.insert, module, 1, "x")
    pcall(table.move, { "x" }, 1, 1, 1, module)
    must_be_nil("an element of a module", module[1])
    must_be_nil("element zero of a module", module[0])
  end
  return { json = { refused = true } }
end, { public = true })
