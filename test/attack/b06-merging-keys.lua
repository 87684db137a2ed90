-- id: B06
-- title: Keys that would become one are never merged in silence
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  must_fail("1 and \"1\"", function() assert(json.encode({ [1] = "a", ["1"] = "b" })) end)
  for _, key in ipairs({ true, print, {} }) do
    must_fail("a " .. type(key) .. " key", function() assert(json.encode({ [key] = 1 })) end)
  end
  return { json = { refused = true } }
end, { public = true })
