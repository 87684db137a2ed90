-- id: A19 CVE-2022-0543
-- title: The package library does not exist
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

local function must_be_nil(what, value)
  if value ~= nil then error("escaped: " .. what .. " is a " .. type(value), 0) end
end

http.handle("GET", "/attack", function(req)
  must_be_nil("package", package)
  must_fail("loadlib", function() return package.loadlib("libc.so.6", "system") end)
  must_fail("preload", function() package.preload.x = print end)
  must_fail("searchers", function() return package.searchers[1] end)
  must_fail("loaded", function() return package.loaded.os end)
  return { json = { refused = true } }
end, { public = true })
