-- id: A35 C08
-- title: A coroutine that was made in one call does nothing in the next
-- expect: refused
-- after: the next call answers {"clean":true}

local box = {}

http.handle("GET", "/attack", function(req)
  if box.kept == nil then
    box.kept = coroutine.wrap(function()
      coroutine.yield()
      return db.query("anything")
    end)
    box.thread = coroutine.create(function() while true do coroutine.yield(json.encode({ 1 })) end end)
    box.kept()
    coroutine.resume(box.thread)
  end
  return { json = { refused = true } }
end, { public = true })

http.handle("GET", "/after", function()
  if box.kept == nil then return { json = { clean = true } } end
  local ran = pcall(box.kept)
  local resumed = coroutine.resume(box.thread)
  return { json = { clean = not ran and not resumed } }
end, { public = true })
