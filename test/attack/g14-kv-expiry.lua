-- id: G14
-- title: Times to live that are none are refused, and nothing is written
-- expect: refused

local odd = { 0, -1, 0 / 0, 1 / 0, -1 / 0, 0.5, 2 ^ 53, 1e300, math.maxinteger, math.mininteger, "1000", true, {}, { 1 },
  kv.now(), kv.u64(5), json.null, 315360000001 }

http.handle("GET", "/attack", function(req)
  for at = 1, 18 do
    if pcall(kv.set, { "a" }, 1, { expires_in = odd[at] }) then error("escaped: time " .. at, 0) end
    local atomic = kv.atomic():set({ "a" }, 1, { expires_in = odd[at] })
    if pcall(atomic.commit, atomic) then error("escaped: time " .. at .. " in a commit", 0) end
    if pcall(kv.enqueue, 1, { delay = odd[at] }) and at ~= 1 then error("escaped: delay " .. at, 0) end
  end
  if kv.count() ~= 0 then error("escaped: something was written", 0) end
  return { json = { refused = true } }
end, { public = true })
