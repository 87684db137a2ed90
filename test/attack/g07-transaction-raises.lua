-- id: G07 G08
-- title: A transaction that raises leaves nothing behind
-- expect: refused
-- after: the next call answers {"clean":true}

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

function on_init()
  db.define_table("items", { columns = { { name = "name", type = "text" }, { name = "n", type = "integer" } } })
end

http.handle("GET", "/attack", function(req)
  local ok, message = db.transaction(function()
    db.insert("items", { name = "half", n = 1 })
    error("no")
  end)
  if ok ~= false then error("escaped: the transaction reports success", 0) end
  if db.count("items", { where = { name = "half" } }) ~= 0 then error("escaped: half a transaction", 0) end
  must_fail("a nested transaction", function()
    local inner = db.transaction(function()
      local fine = db.transaction(function() end)
      if fine then return end
      error("refused")
    end)
    if not inner then error("refused") end
  end)
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = db.count("items", { where = { name = "half" } }) == 0 } }
end, { public = true })
