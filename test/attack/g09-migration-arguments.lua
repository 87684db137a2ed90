-- id: G09 G03
-- title: db.migration takes versions and texts only, at module scope only, and nothing of what it refuses is kept
-- expect: refused

local function must_fail(what, ...)
  local ok, result = pcall(db.migration, ...)
  if ok then error("escaped: " .. what .. " was taken", 0) end
  return result
end

local sql = { up = "DROP TABLE plugins" }
local cyclic = {}
cyclic.up = cyclic

must_fail("no argument")
must_fail("a negative version", -1, "x", sql)
must_fail("a fraction", 1.5, "x", sql)
must_fail("NaN", 0 / 0, "x", sql)
must_fail("zero", 0, "x", sql)
must_fail("a long version", 1e15, "x", sql)
must_fail("the largest integer", math.maxinteger, "x", sql)
must_fail("words", "1; DROP TABLE plugins", "x", sql)
must_fail("a version with a NUL", "1\0", "x", sql)
must_fail("a version in hex", "0x10", "x", sql)
must_fail("no description", 1, nil, sql)
must_fail("an empty description", 1, "  ", sql)
must_fail("a long description", 1, ("x"):rep(201), sql)
must_fail("bytes as a description", 1, "\255", sql)
must_fail("no SQL", 1, "x")
must_fail("a list", 1, "x", { "DROP TABLE plugins" })
must_fail("a function", 1, "x", { up = function() end })
must_fail("an unknown field", 1, "x", { up = "SELECT 1", sideways = "x" })
must_fail("an unknown field of the table", { version = 1, description = "x", up = "SELECT 1", __index = "x" })
must_fail("bytes as SQL", 1, "x", { up = "\255" })
must_fail("long SQL", 1, "x", { up = (" "):rep(262145) })
must_fail("a cycle", 1, "x", cyclic)
must_fail("a cycle as all", cyclic)
local trap = setmetatable({}, { __index = function() error("escaped: a metamethod ran", 0) end })
local message = must_fail("a table with metamethods", 1, "x", trap)
if tostring(message):find("escaped", 1, true) then error(message, 0) end

local kept = db.migration
http.handle("GET", "/attack", function(req)
  local ok = pcall(kept, 1, "late", { up = "DROP TABLE plugins" })
  if ok then error("escaped: a late migration was taken", 0) end
  return { json = { refused = true } }
end, { public = true })
