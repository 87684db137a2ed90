-- id: W10
-- title: Raising infinity is an ordinary error
-- expect: refused

http.handle("GET", "/attack", function(req)
  for _, value in ipairs({ math.huge, -math.huge, 0 / 0, "Infinity" }) do
    local ok, thrown = pcall(error, value)
    if ok or type(thrown) ~= type(value) then error("escaped: the error was lost", 0) end
  end
  return { json = { refused = true } }
end, { public = true })
