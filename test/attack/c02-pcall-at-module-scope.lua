-- id: C02 C39
-- title: pcall does not swallow the stop of a load
-- expect: load-failed

while true do pcall(function() while true do end end) end
