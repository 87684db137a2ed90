-- id: E17 E06
-- title: Routes outside the plugin's own space are refused
-- expect: refused

local results = {}
for _, path in ipairs({ "", "attack", "/../admin", "/a/../../health", "/a?b", "/a#b", "/a b", "/a%2e", "/\0", "//\\", "/" .. ("a"):rep(300), "http://x/", "/{", "/{a}{b}", "/{a}/{a}", "/é" }) do
  results[#results + 1] = pcall(http.handle, "GET", path, function() return { body = "x" } end, { public = true })
end
for _, method in ipairs({ "get", "TRACE", "CONNECT", "", "GET ", "*", "OPTIONS" }) do
  results[#results + 1] = pcall(http.handle, method, "/m", function() return { body = "x" } end, { public = true })
end

http.handle("GET", "/attack", function(req)
  for index, ok in ipairs(results) do
    if ok then error("escaped: path " .. index .. " was registered", 0) end
  end
  return { json = { refused = true } }
end, { public = true })
