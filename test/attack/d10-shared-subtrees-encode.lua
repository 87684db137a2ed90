-- id: B03 D02
-- title: json.encode refuses what unfolds into gigabytes
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local t = { "xxxxxxxxxxxxxxxx" }
  for _ = 1, 40 do t = { t, t } end
  must_fail("the unfolding table", function() assert(json.encode(t)) end)
  return { json = { refused = true } }
end, { public = true })
