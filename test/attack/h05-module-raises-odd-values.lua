-- id: H05 B15
-- title: An error value of any kind at module scope fails the load
-- expect: load-failed

error(setmetatable({}, { __tostring = function() while true do end end }))
