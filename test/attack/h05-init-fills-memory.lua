-- id: H05 D01
-- title: Filling memory in on_init fails the load
-- expect: load-failed

function on_init()
  local t = {}
  while true do t[#t + 1] = ("x"):rep(1000) .. #t end
end
