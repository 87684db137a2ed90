-- id: W19
-- title: Host functions that return nothing return a stable number of values
-- expect: refused

http.handle("GET", "/attack", function(req)
  local function count(...) return select("#", ...) end
  local first = count(log.info("x"))
  for _ = 1, 20 do
    if count(log.info("x")) ~= first then error("escaped: the number of results changes", 0) end
  end
  return { json = { refused = true } }
end, { public = true })
