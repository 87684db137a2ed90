-- id: C37
-- title: Hooks without number fail the load
-- expect: load-failed

for i = 1, 100000 do hooks.on("before_create", "t" .. i, function() end) end
