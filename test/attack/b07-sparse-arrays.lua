-- id: B07
-- title: A sparse table is not filled up to its largest index
-- expect: refused

http.handle("GET", "/attack", function(req)
  for _, index in ipairs({ 1000000, 1 << 40, math.maxinteger, -5, 0 }) do
    local ok, text = pcall(json.encode, { [index] = 1 })
    if ok and text and #text > 100 then error("escaped: sparse table became " .. #text .. " bytes", 0) end
  end
  return { json = { refused = true } }
end, { public = true })
