-- id: C37
-- title: Routes without number fail the load
-- expect: load-failed

for i = 1, 100000 do http.handle("GET", "/r" .. i, function() end) end
