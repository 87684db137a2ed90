-- id: C01 C39 H05
-- title: An endless loop at module scope fails the load
-- expect: load-failed

while true do end
