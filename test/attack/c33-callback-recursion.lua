-- id: C33
-- title: Recursion through callbacks of native functions is an error
-- expect: refused
-- after: the next call answers {"clean":true}

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local function through_gsub() return (("a"):gsub("a", through_gsub)) end
  local function through_sort() table.sort({ 2, 1 }, function() through_sort() end) end
  local function through_pcall() local ok, e = pcall(through_pcall) if not ok then error(e, 0) end end
  must_fail("gsub", through_gsub)
  must_fail("sort", through_sort)
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  return { json = { clean = true } }
end, { public = true })
