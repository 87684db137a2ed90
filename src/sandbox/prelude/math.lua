-- The math library of plugins: that of Lua 5.4, and the functions of 5.1 that 5.4 has dropped.
--
-- Random numbers are seeded from the host's generator, so VMs that start together do not draw the same numbers. They
-- are no secrets all the same: a plugin may seed them itself.

return function(raw, host)
  local native = raw.math
  local floor, exp, log, atan, fmod, abs = native.floor, native.exp, native.log, native.atan, native.fmod, native.abs
  local tointeger, math_type, randomseed = native.tointeger, native.type, native.randomseed
  local error, tonumber, type = raw.error, raw.tonumber, raw.type

  local function check_number(value, index, name)
    local kind = type(value)
    if kind == 'number' then return value end
    local number = kind == 'string' and tonumber(value)
    if number then return number end
    local got = value == nil and 'no value' or kind
    error("bad argument #" .. index .. " to '" .. name .. "' (number expected, got " .. got .. ')', 3)
  end

  local function check_integer(value, index, name)
    local number = value
    if type(value) == 'string' then number = tonumber(value) end
    local integer = math_type(number) and tointeger(number)
    if integer then return integer end
    if math_type(number) then
      error("bad argument #" .. index .. " to '" .. name .. "' (number has no integer representation)", 3)
    end
    local got = value == nil and 'no value' or type(value)
    error("bad argument #" .. index .. " to '" .. name .. "' (number expected, got " .. got .. ')', 3)
  end

  local lib = {}
  for _, name in raw.ipairs {
    'abs', 'acos', 'asin', 'atan', 'ceil', 'cos', 'deg', 'exp', 'floor', 'fmod', 'huge', 'log', 'max', 'maxinteger',
    'min', 'mininteger', 'modf', 'pi', 'rad', 'random', 'sin', 'sqrt', 'tan', 'tointeger', 'type', 'ult',
  } do
    lib[name] = native[name]
  end

  -- Without arguments it seeds from the host. It returns nothing: a seed tells all numbers that follow.
  function lib.randomseed(first, second)
    if first == nil then
      randomseed(host.seed())
      return
    end
    first = check_number(first, 1, 'randomseed')
    second = second == nil and 0 or check_integer(second, 2, 'randomseed')
    randomseed(tointeger(first) or first, second)
  end

  function lib.pow(x, y) return check_number(x, 1, 'pow') ^ check_number(y, 2, 'pow') end

  function lib.log10(x) return log(check_number(x, 1, 'log10'), 10) end

  function lib.mod(x, y)
    x, y = check_number(x, 1, 'mod'), check_number(y, 2, 'mod')
    return fmod(x + 0.0, y + 0.0)
  end

  function lib.atan2(y, x) return (atan(check_number(y, 1, 'atan2'), check_number(x, 2, 'atan2'))) end

  function lib.cosh(x)
    x = check_number(x, 1, 'cosh')
    return (exp(x) + exp(-x)) / 2
  end

  function lib.sinh(x)
    x = check_number(x, 1, 'sinh')
    -- The two exponentials cancel near zero, where x + x^3/6 is exact to the last bit.
    if abs(x) < 1e-5 then return x + x * x * x / 6 end
    return (exp(x) - exp(-x)) / 2
  end

  function lib.tanh(x)
    x = check_number(x, 1, 'tanh')
    if abs(x) < 1e-5 then return x - x * x * x / 3 end
    if x > 20 then return 1.0 end
    if x < -20 then return -1.0 end
    local power = exp(2 * x)
    return (power - 1) / (power + 1)
  end

  -- Scales in steps, for 2^e alone leaves the range of floats long before m * 2^e does.
  function lib.ldexp(m, e)
    m, e = check_number(m, 1, 'ldexp') + 0.0, check_integer(e, 2, 'ldexp')
    if e > 2200 then e = 2200 elseif e < -2200 then e = -2200 end
    while e > 1000 do m, e = m * 2.0 ^ 1000, e - 1000 end
    while e < -1000 do m, e = m * 2.0 ^ -1000, e + 1000 end
    return m * 2.0 ^ e
  end

  function lib.frexp(x)
    x = check_number(x, 1, 'frexp') + 0.0
    if x == 0 or x ~= x or x == native.huge or x == -native.huge then return x, 0 end
    local e = 0
    -- A subnormal number has no exact logarithm to start from.
    if abs(x) < 2.0 ^ -1000 then x, e = x * 2.0 ^ 100, -100 end
    local estimate = floor(log(abs(x), 2)) + 1
    x, e = lib.ldexp(x, -estimate), e + estimate
    while abs(x) >= 1 do x, e = x / 2, e + 1 end
    while abs(x) < 0.5 do x, e = x * 2, e - 1 end
    return x, e
  end

  randomseed(host.seed())
  return lib
end
