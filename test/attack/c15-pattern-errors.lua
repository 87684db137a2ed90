-- id: C15
-- title: Malformed patterns are errors of one line
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  for _, pattern in ipairs({ "(", ")", "%", "[", "[^", "[a", "[a%", "%b", "%bx", "%f", "%f[", "%1", "(%1)", ("("):rep(33), ("a*"):rep(300) }) do
    local subject = ("a"):rep(300)
    for _, name in ipairs({ "match", "gsub" }) do
      local ok, message = pcall(string[name], subject, pattern, name == "gsub" and "" or 1)
      if not ok and (type(message) ~= "string" or #message > 200) then error("escaped: odd error", 0) end
    end
  end
  must_fail("a pattern that is a table", string.find, "x", {})
  must_fail("a replacement that is nil", string.gsub, "x", "x", nil)
  return { json = { refused = true } }
end, { public = true })
