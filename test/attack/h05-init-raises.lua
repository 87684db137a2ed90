-- id: H05
-- title: An error in on_init fails the load
-- expect: load-failed

function on_init() error("no") end
