-- The matcher that runs where the native one could hold the thread: the programs of pattern.lua, step by step in Lua.
-- It gives the results of the native matcher and raises its messages, as `problem`, which the caller turns into an
-- error with the position of its own caller.

return function(raw, pattern)
  local byte, find, sub = raw.string.byte, raw.string.find, raw.string.sub
  local concat, unpack = raw.table.concat, raw.table.unpack
  local error, type, tostring = raw.error, raw.type, raw.tostring
  local pay = pattern.pay

  -- Native recursion limit (MAXCCALLS of lstrlib).
  local depth_max <const> = 200
  local unfinished <const>, position <const> = -1, -2

  local SINGLE <const>, OPTIONAL <const>, STAR <const>, PLUS <const>, LAZY <const> = 1, 2, 3, 4, 5
  local OPEN <const>, CLOSE <const>, BALANCE <const>, FRONTIER <const>, BACK <const> = 6, 7, 8, 9, 10
  local TAIL <const>, PROBLEM <const>, NEVER <const> = 11, 12, 13

  -- What the matcher raises: callers recognise it by identity.
  local problem = {}

  local function refuse(message)
    problem.message = message
    error(problem, 0)
  end

  local run

  local function run_greedy(state, i, item, at, depth)
    local subject, follow = state.subject, item.follow
    local _, stop = find(subject, item.run, at)
    pay(stop - at)
    for here = stop + 1, item.kind == PLUS and at + 1 or at, -1 do
      if not follow or follow[byte(subject, here)] then
        local final = run(state, i + 1, here, depth - 1)
        if final then return final end
      end
    end
    return nil
  end

  local function run_lazy(state, i, item, at, depth)
    local subject, class, follow, literal = state.subject, item.class, item.follow, item.literal
    while true do
      if literal then
        local hit = find(subject, literal, at, true)
        pay((hit or #subject) - at)
        if not hit then return nil end
        at = hit
      end
      if not follow or follow[byte(subject, at)] then
        local final = run(state, i + 1, at, depth - 1)
        if final then return final end
      end
      if not class[byte(subject, at)] then return nil end
      at = at + 1
    end
  end

  local function run_capture(state, i, item, at, depth)
    if item.kind == OPEN then
      local level = state.level + 1
      state.starts[level], state.sizes[level] = at, item.position and position or unfinished
      state.level = level
      local final = run(state, i + 1, at, depth - 1)
      if not final then state.level = level - 1 end
      return final
    end
    state.sizes[item.index] = at - state.starts[item.index]
    local final = run(state, i + 1, at, depth - 1)
    if not final then state.sizes[item.index] = unfinished end
    return final
  end

  -- Where the balanced, frontier or referenced text that begins at `at` ends (the index after it), or nil.
  local function run_special(state, item, at)
    local subject, kind = state.subject, item.kind
    if kind == BALANCE then
      pay(#subject - at)
      local _, stop = find(subject, item.run, at)
      return stop and stop + 1
    elseif kind == FRONTIER then
      local before, here = at > 1 and byte(subject, at - 1) or 0, byte(subject, at) or 0
      return not item.class[before] and item.class[here] and at or nil
    elseif kind == BACK then
      local from, size = state.starts[item.index], state.sizes[item.index]
      pay(size)
      if sub(subject, from, from + size - 1) ~= sub(subject, at, at + size - 1) then return nil end
      return at + size
    elseif kind == PROBLEM then
      refuse(item.message)
    end
    return nil
  end

  -- Matches the items from i on at `at`; gives the index after the match, or nil.
  function run(state, i, at, depth)
    if depth == 0 then refuse('pattern too complex') end
    local items, subject = state.program.items, state.subject
    while true do
      local item = items[i]
      if not item then return at end
      local kind = item.kind
      if kind == SINGLE then
        if not item.class[byte(subject, at)] then return nil end
        at = at + 1
      elseif kind <= LAZY then
        if item.class[byte(subject, at)] then
          if kind == LAZY then return run_lazy(state, i, item, at, depth) end
          if kind ~= OPTIONAL then return run_greedy(state, i, item, at, depth) end
          local final = run(state, i + 1, at + 1, depth - 1)
          if final then return final end
        elseif kind == PLUS then
          return nil
        end
      elseif kind == OPEN or kind == CLOSE then
        return run_capture(state, i, item, at, depth)
      elseif kind == TAIL then
        return at > #subject and at or nil
      else
        at = run_special(state, item, at)
        if not at then return nil end
      end
      i = i + 1
    end
  end

  local function state_of(subject, program)
    return { subject = subject, program = program, level = 0, starts = {}, sizes = {} }
  end

  -- The first match that begins at `from` or later and does not end at `refused`: its first index and the one
  -- after its last.
  local function scan(state, from, refused)
    local program, subject = state.program, state.subject
    local head, last = program.head, #subject + 1
    while from <= last do
      if head and not program.anchored then
        local hit = find(subject, head, from)
        pay((hit or last) - from)
        if not hit then return nil end
        from = hit
      end
      state.level = 0
      local stop = run(state, 1, from, depth_max)
      if stop and stop ~= refused then return from, stop end
      if program.anchored then return nil end
      from = from + 1
    end
    return nil
  end

  local function capture(state, index, from, stop)
    if index > state.level then
      if index ~= 1 then refuse('invalid capture index %' .. index) end
      return sub(state.subject, from, stop - 1)
    end
    local size, start = state.sizes[index], state.starts[index]
    if size == position then return start end
    if size == unfinished then refuse('unfinished capture') end
    return sub(state.subject, start, start + size - 1)
  end

  -- All captures of a match; the whole match when there are none and `whole` is true.
  local function captures(state, from, stop, whole)
    local count = state.level == 0 and whole and 1 or state.level
    if count == 1 then return capture(state, 1, from, stop) end
    local values = {}
    for index = 1, count do values[index] = capture(state, index, from, stop) end
    return unpack(values, 1, count)
  end

  local function expand(state, replacement, from, stop)
    local parts, at = {}, 1
    while true do
      local mark = find(replacement, '%', at, true)
      if not mark then break end
      parts[#parts + 1] = sub(replacement, at, mark - 1)
      local code = byte(replacement, mark + 1)
      if code == 37 then
        parts[#parts + 1] = '%'
      elseif code == 48 then
        parts[#parts + 1] = sub(state.subject, from, stop - 1)
      elseif code and code >= 49 and code <= 57 then
        parts[#parts + 1] = capture(state, code - 48, from, stop)
      else
        refuse("invalid use of '%' in replacement string")
      end
      at = mark + 2
    end
    parts[#parts + 1] = sub(replacement, at)
    return concat(parts)
  end

  local function replaced(state, replacement, kind, from, stop)
    local value
    if kind == 'function' then
      value = replacement(captures(state, from, stop, true))
    elseif kind == 'table' then
      value = replacement[capture(state, 1, from, stop)]
    else
      return expand(state, replacement, from, stop)
    end
    if not value then return sub(state.subject, from, stop - 1) end
    local found = type(value)
    if found ~= 'string' and found ~= 'number' then refuse('invalid replacement value (a ' .. found .. ')') end
    return tostring(value)
  end

  local lib = { problem = problem }

  -- The four functions below take checked arguments, raise `problem` and stay interruptible.

  function lib.find(subject, program, from)
    local state = state_of(subject, program)
    local start, stop = scan(state, from)
    if not start then return nil end
    return start, stop - 1, captures(state, start, stop, false)
  end

  function lib.match(subject, program, from)
    local state = state_of(subject, program)
    local start, stop = scan(state, from)
    if not start then return nil end
    return captures(state, start, stop, true)
  end

  -- Gives a function of no arguments that yields the captures of one match after another, then nothing.
  function lib.gmatch(subject, program, from)
    local state, refused = state_of(subject, program), nil
    return function()
      local start, stop = scan(state, from, refused)
      if not start then
        from = #subject + 2
        return
      end
      from, refused = stop, stop
      return captures(state, start, stop, true)
    end
  end

  function lib.gsub(subject, program, replacement, count_max)
    local state, kind = state_of(subject, program), type(replacement)
    local parts, count, from, refused = {}, 0, 1, nil
    while count < count_max do
      local start, stop = scan(state, from, refused)
      if not start then break end
      count = count + 1
      parts[#parts + 1] = sub(subject, refused or 1, start - 1)
      parts[#parts + 1] = replaced(state, replacement, kind, start, stop)
      from, refused = stop, stop
      if program.anchored then break end
    end
    parts[#parts + 1] = sub(subject, refused or 1)
    return concat(parts), count
  end

  return lib
end
