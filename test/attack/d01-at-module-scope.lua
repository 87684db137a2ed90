-- id: D01 H05
-- title: Filling memory at module scope fails the load
-- expect: load-failed

local t = {}
while true do t[#t + 1] = ("x"):rep(1000) .. #t end
