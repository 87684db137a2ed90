-- id: A08 W17
-- title: Errors of host functions are text without a stack or a path of the host
-- expect: refused

http.handle("GET", "/attack", function(req)
  local attempts = {
    function() json.decode(function() end) end,
    function() json.encode(function() end) end,
    function() http.handle("GET", "/late", function() end) end,
    function() db.query({}) end,
    function() log.info({}) end,
    function() require("no_such_module") end,
    function() db.define_table("x", 1) end,
  }
  for index, attempt in ipairs(attempts) do
    local ok, message = pcall(attempt)
    if not ok then
      if type(message) ~= "string" then error("escaped: error " .. index .. " is a " .. type(message), 0) end
      for _, trace in ipairs({ ".js", ".ts", "node:", "node_modules", "/dist/", "/src/", "    at " }) do
        if message:find(trace, 1, true) then error("escaped: error " .. index .. " shows " .. message, 0) end
      end
    end
  end
  return { json = { refused = true } }
end, { public = true })
