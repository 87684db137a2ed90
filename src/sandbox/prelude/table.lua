-- The table library of plugins: the native functions behind bounds on how much one call may do.
--
-- The native loops count to whatever `__len` or an argument says, where the instruction hook cannot reach them. Here
-- a call that would touch more than limits.tableElementsMax elements raises, and large ones pay with instructions for
-- the time that they take. `sort` without a comparator gets one written in Lua when the native one could run long.

return function(raw, _)
  local native = raw.table
  local concat, insert, remove, sort, move = native.concat, native.insert, native.remove, native.sort, native.move
  local math_type, tointeger, maxinteger = raw.math.type, raw.math.tointeger, raw.math.maxinteger
  local type, error, pcall, select, tonumber = raw.type, raw.error, raw.pcall, raw.select, raw.tonumber
  local getmetatable, next, find = raw.getmetatable, raw.next, raw.string.find
  local elements_max = raw.limits.tableElementsMax

  -- Elements and bytes up to which the native sort is fast enough to be left alone.
  local sort_elements_max <const>, sort_bytes_max <const> = 20000, 2000000

  -- The checks are called by functions that plugins call: level 3 is the plugin's line.

  local function bad_argument(index, name, text)
    error("bad argument #" .. index .. " to '" .. name .. "' (" .. text .. ')', 4)
  end

  local function check_table(value, index, name)
    if type(value) == 'table' then return end
    bad_argument(index, name, 'table expected, got ' .. (value == nil and 'no value' or type(value)))
  end

  local function check_integer(value, index, name, missing)
    if math_type(value) == 'integer' then return value end
    if value == nil and missing then return missing end
    local kind = type(value)
    local number = (kind == 'number' or kind == 'string') and tonumber(value)
    if not number then
      bad_argument(index, name, 'number expected, got ' .. (value == nil and 'no value' or kind))
    end
    return tointeger(number) or bad_argument(index, name, 'number has no integer representation')
  end

  local function length_of(list)
    local length = #list
    if math_type(length) == 'integer' then return length end
    length = math_type(length) and tointeger(length)
    if not length then error('object length is not an integer', 3) end
    return length
  end

  -- Refuses to touch the elements first..last when they are too many, else pays for the work.
  local function charge(first, last, name)
    if last < first then return end
    -- The difference of two integers may wrap around; that of floats does not.
    local count = last - (first + 0.0)
    if count >= elements_max then
      error("table." .. name .. ': too many elements; one call may touch ' .. elements_max, 3)
    end
    for _ = 1, (last - first) // 16 do end
  end

  -- Gives the results of a protected call, or raises its error with the plugin's line where it carries none.
  local function finish(ok, ...)
    if ok then return ... end
    local thrown = ...
    if type(thrown) == 'string' and (find(thrown, '^invalid ') or find(thrown, '^attempt to compare')) then
      error(thrown, 2)
    end
    error(thrown, 0)
  end

  local lib = {}

  function lib.insert(list, ...)
    check_table(list, 1, 'insert')
    local arguments = select('#', ...)
    if arguments == 1 then
      list[length_of(list) + 1] = ...
    elseif arguments == 2 then
      local position, value = ...
      local length = length_of(list)
      position = check_integer(position, 2, 'insert')
      if position < 1 or position > length + 1 then
        error("bad argument #2 to 'insert' (position out of bounds)", 2)
      end
      charge(position, length, 'insert')
      if getmetatable(list) == nil then
        insert(list, position, value)
      else
        -- Native code would ask `__len` again, and could get another answer.
        for at = length, position, -1 do list[at + 1] = list[at] end
        list[position] = value
      end
    else
      error("wrong number of arguments to 'insert'", 2)
    end
  end

  function lib.remove(list, position)
    check_table(list, 1, 'remove')
    local length = length_of(list)
    position = check_integer(position, 2, 'remove', length)
    if position == length then
      local value = list[length]
      list[length] = nil
      return value
    end
    if position < 1 or position > length + 1 then
      error("bad argument #2 to 'remove' (position out of bounds)", 2)
    end
    charge(position, length, 'remove')
    if getmetatable(list) == nil then return (remove(list, position)) end
    local value = list[position]
    for at = position, length - 1 do list[at] = list[at + 1] end
    if position <= length then position = length end
    list[position] = nil
    return value
  end

  function lib.concat(list, separator, first, last)
    check_table(list, 1, 'concat')
    local kind = type(separator)
    if separator ~= nil and kind ~= 'string' and kind ~= 'number' then
      error("bad argument #2 to 'concat' (string expected, got " .. kind .. ')', 2)
    end
    first = check_integer(first, 3, 'concat', 1)
    last = last == nil and length_of(list) or check_integer(last, 4, 'concat')
    charge(first, last, 'concat')
    return finish(pcall(concat, list, separator, first, last))
  end

  function lib.move(from, first, last, to, target)
    check_table(from, 1, 'move')
    first, last = check_integer(first, 2, 'move'), check_integer(last, 3, 'move')
    to = check_integer(to, 4, 'move')
    if target == nil then target = from else check_table(target, 5, 'move') end
    if last < first then return target end
    charge(first, last, 'move')
    if to > maxinteger - (last - first) then
      error("bad argument #4 to 'move' (destination wrap around)", 2)
    end
    return move(from, first, last, to, target)
  end

  -- Long texts pay for the time that native code takes to compare them.
  local function before(one, other)
    if type(one) == 'string' then
      for _ = 1, #one // 1000 do end
    end
    return one < other
  end

  -- True when native code could spend long in comparing the elements by `<`.
  local function slow_to_sort(list, length)
    if length > sort_elements_max or getmetatable(list) ~= nil then return true end
    local bytes = 0
    for at = 1, length do
      local value = list[at]
      if type(value) == 'string' then bytes = bytes + #value end
    end
    return bytes > sort_bytes_max
  end

  function lib.sort(list, comparator)
    check_table(list, 1, 'sort')
    if comparator ~= nil and type(comparator) ~= 'function' then
      error("bad argument #2 to 'sort' (function expected, got " .. type(comparator) .. ')', 2)
    end
    local length = length_of(list)
    charge(1, length, 'sort')
    if comparator == nil then
      if slow_to_sort(list, length) then comparator = before end
    elseif length > sort_elements_max or getmetatable(list) ~= nil then
      -- A comparator may be a native function too (math.ult), which the hook does not see.
      local given = comparator
      comparator = function(one, other) return (given(one, other)) end
    end
    return finish(pcall(sort, list, comparator))
  end

  -- Of Lua 5.1.
  function lib.getn(list)
    check_table(list, 1, 'getn')
    return length_of(list)
  end

  function lib.maxn(list)
    check_table(list, 1, 'maxn')
    local largest = 0
    for key in next, list do
      if math_type(key) and key > largest then largest = key end
    end
    return largest
  end

  -- Bounded by the size of the stack.
  lib.pack, lib.unpack = native.pack, native.unpack

  return lib
end
