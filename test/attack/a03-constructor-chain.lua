-- id: A03
-- title: No value leads to a constructor of the host
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  for _, value in ipairs({ json.encode, db.query, http.handle, json.null, db.null, log.info }) do
    must_fail("constructor of " .. tostring(value), function()
      return value.constructor.constructor("return process")()
    end)
  end
  return { json = { refused = true } }
end, { public = true })
