-- id: C12
-- title: Repeating nothing for ever ends at once
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  if string.rep("", 1 << 62) ~= "" then error("escaped", 0) end
  if (""):rep(math.maxinteger, "") ~= "" then error("escaped", 0) end
  must_fail("repeating a separator", string.rep, "", 1 << 62, ",")
  must_fail("repeating as a method", function() return ("x"):rep(math.maxinteger) end)
  return { json = { refused = true } }
end, { public = true })
