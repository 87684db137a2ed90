-- id: A09 W24
-- title: What the host returns is plain tables and texts, never a live object
-- expect: refused

http.handle("GET", "/attack", function(req)
  local function walk(value, depth)
    if type(value) == "table" then
      if depth > 20 then error("escaped: endless value", 0) end
      for key, inner in pairs(value) do
        walk(key, depth + 1)
        walk(inner, depth + 1)
      end
    elseif type(value) == "function" or type(value) == "thread" then
      error("escaped: a " .. type(value) .. " came from the host", 0)
    end
  end
  walk(req, 0)
  walk(json.decode('{"a":[1,{"b":null}],"c":"d"}'), 0)
  walk(db.ulid(), 0)
  walk(db.timestamp(), 0)
  return { json = { refused = true } }
end, { public = true })
