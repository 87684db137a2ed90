-- id: H05 C32
-- title: Endless recursion in on_init fails the load
-- expect: load-failed

function on_init()
  local function f() return 1 + f() end
  f()
end
