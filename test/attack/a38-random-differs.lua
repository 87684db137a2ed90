-- id: A38
-- title: Random numbers are not a fixed sequence and the seed is not told
-- expect: refused

http.handle("GET", "/attack", function(req)
  local known = { 0, 1, 42, 1234567890 }
  local first = math.random(1 << 53)
  for _, seed in ipairs(known) do
    math.randomseed(seed)
    if math.random(1 << 53) == first then error("escaped: the first draw is that of seed " .. seed, 0) end
  end
  if select("#", math.randomseed()) ~= 0 then error("escaped: randomseed tells the seed", 0) end
  local one = math.random(1 << 53)
  math.randomseed()
  if one == math.random(1 << 53) then error("escaped: two seeds are equal", 0) end
  return { json = { refused = true } }
end, { public = true })
