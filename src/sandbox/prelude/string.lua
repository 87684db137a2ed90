-- The string library of plugins: the native functions where they are bounded, and guards around the others.
--
-- Absent: dump (it would show the code of host functions). Changed: rep refuses a result beyond
-- limits.stringBytesMax before it allocates; format has no %p and names tables and functions without addresses; the
-- pattern functions choose between the native matcher and the interruptible one (see pattern.lua).

return function(raw, host)
  local native_string = raw.string
  local format, rep, byte, sub = native_string.format, native_string.rep, native_string.byte, native_string.sub
  local raw_find, raw_match = native_string.find, native_string.match
  local raw_gmatch, raw_gsub = native_string.gmatch, native_string.gsub
  local math_type, tointeger = raw.math.type, raw.math.tointeger
  local type, error, pcall, select, tonumber = raw.type, raw.error, raw.pcall, raw.select, raw.tonumber
  local next, tostring, concat, pack, unpack = raw.next, raw.tostring, raw.table.concat, raw.table.pack, raw.table.unpack
  local bytes_max, steps_max = raw.limits.stringBytesMax, raw.limits.patternStepsMax

  if not raw.libraries.matcher then error('the prelude is incomplete: matcher.lua is not among raw.libraries') end
  local pattern_library = raw.libraries.pattern(raw, host)
  local matcher = raw.libraries.matcher(raw, pattern_library)
  local programs, program_of, native = pattern_library.programs, pattern_library.program_of, pattern_library.native
  local pay, problem = pattern_library.pay, matcher.problem

  -- Arguments. The checks below are called by functions that plugins call: level 3 is the plugin's line.

  local function bad_argument(index, name, expected, value, level)
    local got = value == nil and 'no value' or type(value)
    error("bad argument #" .. index .. " to '" .. name .. "' (" .. expected .. ' expected, got ' .. got .. ')', level or 4)
  end

  local function check_string(value, index, name)
    local kind = type(value)
    if kind == 'string' then return value end
    if kind == 'number' then return value .. '' end
    bad_argument(index, name, 'string', value)
  end

  local function check_integer(value, index, name, missing)
    if math_type(value) == 'integer' then return value end
    if value == nil and missing then return missing end
    local kind = type(value)
    local number = (kind == 'number' or kind == 'string') and tonumber(value)
    if not number then bad_argument(index, name, 'number', value) end
    local integer = tointeger(number)
    if not integer then
      error("bad argument #" .. index .. " to '" .. name .. "' (number has no integer representation)", 3)
    end
    return integer
  end

  -- Index of the first character to look at, as the native functions count it.
  local function first_index(init, length)
    if init > 0 then return init end
    if init == 0 or init < -length then return 1 end
    return length + init + 1
  end

  -- Gives the results of a protected call, or raises its error on the plugin's line where it carries none.
  local function finish(ok, ...)
    if ok then return ... end
    local thrown = ...
    if thrown == problem then error(problem.message, 2) end
    if type(thrown) == 'string' and raw_find(thrown, '^invalid replacement value') then error(thrown, 2) end
    error(thrown, 0)
  end

  -- Searching --------------------------------------------------------------------------------------------------

  -- Searches for literal text in windows whose work is bounded, with a turn of the hook between them.
  local function find_text(text, wanted, from)
    local length, size = #text, #wanted
    if (length - from + 2.0) * (size + 1) <= steps_max then
      pay((length - from + 2) * (size + 1) // 16)
      return raw_find(text, wanted, from, true)
    end
    local step = steps_max // (size + 1) + 1
    while from + size - 1 <= length do
      pay(steps_max)
      local hit = raw_find(sub(text, from, from + step + size - 2), wanted, 1, true)
      if hit then return from + hit - 1, from + hit + size - 2 end
      from = from + step
    end
    return nil
  end

  local function find_checked(s, p, init, plain)
    s, p = check_string(s, 1, 'find'), check_string(p, 2, 'find')
    local from = first_index(check_integer(init, 3, 'find', 1), #s)
    if from > #s + 1 then return nil end
    if plain then return find_text(s, p, from) end
    local program = program_of(p)
    if program.plain then return find_text(s, p, from) end
    if native(program, #s - from + 1) then return raw_find(s, p, from) end
    return finish(pcall(matcher.find, s, program, from))
  end

  local lib = {}

  function lib.find(s, p, init, plain)
    local program = programs[p]
    if program and not plain and type(s) == 'string' and #s <= program.free
      and (init == nil or math_type(init) == 'integer') then
      return raw_find(s, p, init)
    end
    if plain and type(s) == 'string' and type(p) == 'string' and #s * #p <= 65536 and init == nil then
      return raw_find(s, p, 1, true)
    end
    return find_checked(s, p, init, plain)
  end

  local function match_checked(s, p, init)
    s, p = check_string(s, 1, 'match'), check_string(p, 2, 'match')
    local from = first_index(check_integer(init, 3, 'match', 1), #s)
    if from > #s + 1 then return nil end
    local program = program_of(p)
    if native(program, #s - from + 1) then return raw_match(s, p, from) end
    return finish(pcall(matcher.match, s, program, from))
  end

  function lib.match(s, p, init)
    local program = programs[p]
    if program and type(s) == 'string' and #s <= program.free and (init == nil or math_type(init) == 'integer') then
      return raw_match(s, p, init)
    end
    return match_checked(s, p, init)
  end

  function lib.gmatch(s, p, init)
    s, p = check_string(s, 1, 'gmatch'), check_string(p, 2, 'gmatch')
    local from = first_index(check_integer(init, 3, 'gmatch', 1), #s)
    -- gmatch has no anchor: a leading "^" stands for itself.
    if byte(p) == 94 then p = '%' .. p end
    local program = program_of(p)
    if native(program, #s) then return raw_gmatch(s, p, from) end
    local step = matcher.gmatch(s, program, from)
    return function() return finish(pcall(step)) end
  end

  -- True when every "%" of a replacement text stands before "%", "0" or the number of a capture.
  local function sound(replacement, program)
    local captures, at = #program.captures, 1
    if captures == 0 then captures = 1 end
    while true do
      local mark = raw_find(replacement, '%', at, true)
      if not mark then return true end
      local code = byte(replacement, mark + 1)
      if code ~= 37 and not (code and code >= 48 and code <= 48 + captures and code <= 57) then return false end
      at = mark + 2
    end
  end

  local function gsub_checked(s, p, replacement, count)
    s, p = check_string(s, 1, 'gsub'), check_string(p, 2, 'gsub')
    local kind = type(replacement)
    if kind == 'number' then
      replacement, kind = replacement .. '', 'string'
    elseif kind ~= 'string' and kind ~= 'table' and kind ~= 'function' then
      bad_argument(3, 'gsub', 'string/function/table', replacement, 3)
    end
    count = check_integer(count, 4, 'gsub', #s + 1)
    local program = program_of(p)
    if (kind == 'string' and not sound(replacement, program)) or not native(program, #s) then
      return finish(pcall(matcher.gsub, s, program, replacement, count))
    end
    if kind == 'string' then return raw_gsub(s, p, replacement, count) end
    return finish(pcall(raw_gsub, s, p, replacement, count))
  end

  function lib.gsub(s, p, replacement, count)
    local program = programs[p]
    if program and count == nil and type(s) == 'string' and #s <= program.free and type(replacement) == 'string'
      and not raw_find(replacement, '%', 1, true) then
      return raw_gsub(s, p, replacement)
    end
    return gsub_checked(s, p, replacement, count)
  end

  lib.gfind = lib.gmatch

  -- Making strings ---------------------------------------------------------------------------------------------

  local function rep_checked(s, count, separator)
    s, count = check_string(s, 1, 'rep'), check_integer(count, 2, 'rep')
    separator = separator == nil and '' or check_string(separator, 3, 'rep')
    if count <= 0 or #s + #separator == 0 then return '' end
    if (#s + #separator) * (count + 0.0) - #separator > bytes_max then
      error('resulting string too large: string.rep makes at most ' .. bytes_max .. ' bytes', 2)
    end
    pay((#s + #separator) * count)
    return rep(s, count, separator)
  end

  function lib.rep(s, count, separator)
    if separator == nil and type(s) == 'string' and math_type(count) == 'integer' and count < 1000 and #s < 1000 then
      return s == '' and s or rep(s, count)
    end
    return rep_checked(s, count, separator)
  end

  -- Which arguments of a format text are "%s": found once for each text.
  local layouts, layouts_count = {}, 0

  local function layout_of(text)
    local layout, index, at = {}, 0, 1
    while true do
      local mark = raw_find(text, '%', at, true)
      if not mark then break end
      local _, stop, conversion = raw_find(text, '^[-+ #0-9.]*(.?)', mark + 1)
      if conversion ~= '%' or stop > mark + 1 then index = index + 1 end
      if conversion == 's' then
        layout[#layout + 1] = index
      elseif conversion == 'p' then
        layout.address = true
      end
      at = stop + 1
    end
    return layout
  end

  local function cached_layout(text)
    local layout = layouts[text]
    if layout then return layout end
    layout = layout_of(text)
    if #text > 256 then return layout end
    if layouts_count >= 256 then
      for key in next, layouts do layouts[key] = nil end
      layouts_count = 0
    end
    layouts[text], layouts_count = layout, layouts_count + 1
    return layout
  end

  -- Replaces the arguments that native code would print with their address.
  local function with_texts(layout, ...)
    local values
    for at = 1, #layout do
      local index = layout[at]
      if index > select('#', ...) then break end
      local value = (select(index, ...))
      local kind = type(value)
      if kind ~= 'string' and kind ~= 'number' then
        values = values or pack(...)
        values[index] = tostring(value)
      end
    end
    if values then return unpack(values, 1, values.n) end
    return ...
  end

  local function formatted(ok, result)
    if ok then return result end
    if type(result) ~= 'string' then error(result, 0) end
    if result == 'not enough memory' then error(result, 0) end
    error(raw_gsub(result, " to '[^']*'", " to 'format'", 1), 2)
  end

  function lib.format(text, ...)
    text = check_string(text, 1, 'format')
    local layout = cached_layout(text)
    if layout.address then
      error("invalid conversion '%p' to 'format': plugins see no addresses", 2)
    end
    if #layout == 0 then return formatted(pcall(format, text, ...)) end
    return formatted(pcall(format, text, with_texts(layout, ...)))
  end

  -- Bounded by themselves: linear in their input, and by the stack for what they return.
  lib.byte, lib.char, lib.len, lib.lower = byte, native_string.char, native_string.len, native_string.lower
  lib.upper, lib.reverse, lib.sub = native_string.upper, native_string.reverse, sub
  lib.pack, lib.packsize, lib.unpack = native_string.pack, native_string.packsize, native_string.unpack

  return lib
end
