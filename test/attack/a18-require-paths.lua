-- id: A18 W36
-- title: require reaches only files of the plugin's lib folder
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  local names = {
    "../../etc/passwd", "..", "...", "a/b", "/etc/passwd", "a\\b", "a\0b", "", "init", "lib/init", "init.lua", "./x",
    "C:\\x", "string", "io", "os", "package", "js", ("x"):rep(100000), "a\nb", "%2e%2e", "foo..bar",
  }
  for _, name in ipairs(names) do
    local message = must_fail("require " .. name:sub(1, 20), require, name)
    if tostring(message):find("/work", 1, true) or tostring(message):find("/home", 1, true) then
      error("escaped: require shows " .. tostring(message), 0)
    end
  end
  for _, name in ipairs({ {}, true, 1.5, print }) do must_fail("require of a " .. type(name), require, name) end
  must_fail("require of nothing", require)
  return { json = { refused = true } }
end, { public = true })
