-- id: C36
-- title: A flood of label values makes no flood of series
-- expect: contained

local hits = metrics.counter("hits_total", { labels = { "value" } })
local sizes = metrics.histogram("sizes", { labels = { "value" } })
local long = string.rep("x", 1000000)

http.handle("GET", "/attack", function(req)
  for i = 1, 5000 do
    hits:inc(1, { value = "made up " .. i })
    sizes:observe(i, { value = i })
    hits:inc(-1 / 0, { value = long })
    hits:inc(1, { value = long })
  end
  return { json = { refused = true } }
end, { public = true })
