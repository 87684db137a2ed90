-- id: C35 G06
-- title: Filters that look at everything again and again use up the operations or the time of the call
-- expect: contained

http.handle("GET", "/attack", function(req)
  local atomic = kv.atomic()
  for n = 1, 300 do atomic:set({ "n", n }, { text = ("x"):rep(1000) }) end
  atomic:commit()
  local where = { text = { ["$contains"] = "y" } }
  while true do
    kv.count({}, { where = where })
    kv.delete({}, { exact = false, where = where })
    for _ in kv.list({ where = where }) do end
  end
end, { public = true })
