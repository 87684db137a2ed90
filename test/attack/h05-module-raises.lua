-- id: H05
-- title: An error at module scope fails the load
-- expect: load-failed

error("no")
