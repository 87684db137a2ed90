-- id: E17
-- title: Stages are not registered with options that mean nothing, nor later than the load
-- expect: refused

local function pass() end
local attempts = {
  { paths = {} }, { paths = "/x" }, { paths = { "" } }, { paths = { "x" } }, { paths = { "/a/../b" } }, { paths = { 1 } },
  { paths = { "/a\u{202e}b" } }, { paths = { "/a\u{200b}/**" } }, { paths = { "/a\u{a0}fail=closed" } }, { paths = { "/a\u{9b}2J" } },
  { paths = { "/a\u{3164}/**" } }, { paths = { "/a\u{2028}/**" } }, { paths = { "/**" .. ("/a"):rep(17) .. "/**" } },
  { paths = { ("/a"):rep(200) } }, { paths = { "/a", "/b", "/c", "/d", "/e", "/f", "/g", "/h", "/i" } },
  { methods = { "get" } }, { methods = { "" } }, { methods = { "GET " } }, { methods = "GET" }, { priority = 0 }, { priority = -1000 },
  { priority = 0 / 0 }, { priority = 1e9 }, { priority = "1" }, { fail = "never" }, { timeout_ms = 0 }, { timeout_ms = 1e9 },
  { name = "" }, { name = ("n"):rep(100) }, { name = "a/b" }, { name = "a\nb" }, { name = "__proto__" }, { unknown = true },
  { __proto__ = {} }, { constructor = { prototype = {} } },
}
local escaped = {}
for index, options in ipairs(attempts) do
  if pcall(gateway.on_request, pass, options) then escaped[#escaped + 1] = "options " .. index end
  if pcall(gateway.on_response, pass, options) then escaped[#escaped + 1] = "answers " .. index end
end
for index, handler in ipairs({ "text", 1, true, {} }) do
  if pcall(gateway.on_request, handler) then escaped[#escaped + 1] = "handler " .. index end
end
for _, name in ipairs({ "", "A", "a/b", "a b", "__proto__", ("k"):rep(100) }) do
  if pcall(gateway.key_by, name, pass) then escaped[#escaped + 1] = "key " .. name end
end
gateway.on_request(pass, { name = "one", paths = { "/nothing" } })
if pcall(gateway.on_request, pass, { name = "one", paths = { "/nothing" } }) then escaped[#escaped + 1] = "a name twice" end

http.handle("GET", "/attack", function()
  if pcall(gateway.on_request, pass, { paths = { "/late" } }) then escaped[#escaped + 1] = "a late stage" end
  if pcall(gateway.on_response, pass, { paths = { "/late" } }) then escaped[#escaped + 1] = "a late stage for answers" end
  if pcall(gateway.key_by, "late", pass) then escaped[#escaped + 1] = "a late key" end
  return { json = { refused = #escaped == 0, escaped = escaped } }
end, { public = true })
