-- id: C27 CVE-2015-8080 CVE-2018-11219 CVE-2020-14147
-- title: pack and unpack check their sizes
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  must_fail("a wide integer", string.pack, "i17", 1)
  must_fail("no width", string.pack, "i0", 1)
  must_fail("an overflow of the width", string.pack, "i99999999999999999999", 1)
  must_fail("an overflow of the size", string.packsize, "c2147483647c2147483647")
  must_fail("data too short", string.unpack, "s4", "\255\255\255\255x")
  must_fail("a position outside", string.unpack, "i4", "abcd", 100)
  must_fail("an alignment of three", string.pack, "!3 i3", 1)
  must_fail("variable size", string.packsize, "s")
  must_fail("results without end", string.unpack, ("b"):rep(2000000), ("x"):rep(2000000))
  return { json = { refused = true } }
end, { public = true })
