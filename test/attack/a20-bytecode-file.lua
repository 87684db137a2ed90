-- id: A20 W29
-- title: An init.lua that begins as bytecode is refused
-- expect: load-failed

x = "Lua"
Lua
