-- id: C01 H05
-- title: An endless loop in on_init fails the load
-- expect: load-failed

function on_init() while true do end end
