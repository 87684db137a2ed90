-- id: B09
-- title: Numbers that JSON lacks are refused or null, never text that is no JSON
-- expect: refused

http.handle("GET", "/attack", function(req)
  for _, number in ipairs({ 0 / 0, 1 / 0, -1 / 0 }) do
    local ok, text = pcall(function() return assert(json.encode({ number })) end)
    if ok and text ~= "[null]" then error("escaped: encoded as " .. tostring(text), 0) end
  end
  return { json = { refused = true } }
end, { public = true })
