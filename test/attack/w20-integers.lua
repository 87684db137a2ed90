-- id: W20 W21 B18
-- title: Large integers and floats cross unrounded or are refused
-- expect: refused

http.handle("GET", "/attack", function(req)
  for _, number in ipairs({ 1 << 53, (1 << 53) + 1, math.maxinteger, math.mininteger, 1e300, -0.0, 0.1, 2 ^ 63 }) do
    local ok, text = pcall(json.encode, { number })
    if ok and text then
      local digits = text:match("^%[(.-)%]$")
      if math.type(number) == "integer" and digits ~= tostring(number) then error("escaped: " .. number .. " became " .. text, 0) end
      if number > 1e299 and (digits == "0" or digits:find("^%-")) then error("escaped: " .. number .. " became " .. text, 0) end
    end
  end
  return { json = { refused = true } }
end, { public = true })
