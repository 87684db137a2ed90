-- id: A36
-- title: No text shows where a value lies in memory
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local values = { print, {}, coroutine.create(print), json.encode, json.null, db.null, string.upper, req, _G, db }
  for _, value in ipairs(values) do
    for _, text in ipairs({ tostring(value), string.format("%s", value), select(2, pcall(error, value, 0)) == value and "" }) do
      if text:find("0x", 1, true) or text:find("%x%x%x%x%x%x") then error("escaped: address in " .. text, 0) end
    end
  end
  must_fail("the pointer conversion", string.format, "%p", {})
  must_fail("the pointer conversion with a width", string.format, "%-40p", print)
  local _, message = pcall(function() return #print end)
  if message:find("0x", 1, true) then error("escaped: address in " .. message, 0) end
  return { json = { refused = true } }
end, { public = true })
