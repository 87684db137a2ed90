-- id: A30
-- title: The key-value store cannot be used while init.lua is read
-- expect: load-failed

kv.set({ "a" }, 1)
