-- id: C39 C02
-- title: Work before the first call has a budget of its own
-- expect: load-failed

local t = {} for i = 1, 1e12 do t[i % 100] = i end
