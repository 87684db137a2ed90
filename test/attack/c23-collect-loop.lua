-- id: C23 C24
-- title: The collector cannot be run or tuned
-- expect: refused

local function must_fail(what, attempt, ...)
  local ok, result = pcall(attempt, ...)
  if ok then error("escaped: " .. what .. " gave " .. tostring(result), 0) end
  return result
end

http.handle("GET", "/attack", function(req)
  for _, option in ipairs({ "collect", "stop", "restart", "step", "setpause", "setstepmul", "incremental", "generational", "isrunning" }) do
    must_fail(option, collectgarbage, option, 1000000000)
  end
  must_fail("the default", collectgarbage)
  return { json = { refused = true } }
end, { public = true })
