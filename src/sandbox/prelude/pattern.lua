-- Lua patterns that cannot hold a thread: what a pattern may cost the native matcher, and the program for the other.
--
-- The native matcher backtracks inside one C call, where the instruction hook cannot reach it. So every pattern is
-- compiled once into a list of items, and from the items comes a bound on the native matcher's steps for a subject
-- of n bytes:
--
--   * F, the steps of an attempt that fails, and S, those of one that succeeds, are computed from the last item to
--     the first. A single character adds its weight (the length of its class, which native code re-reads for every
--     byte). A quantifier adds n such steps and multiplies the F of what follows by n, for it retries it at every
--     length, unless nothing that it matches can also begin what follows, or what follows cannot fail.
--   * `%b` and back references add n. A pattern without `^` is tried at every position: n times F.
--   * gsub and gmatch succeed up to n times; the sum is linear when no quantifier gives characters back.
--
-- Up to limits.patternStepsMax (2e6, about 20 ms) the native matcher runs. Its estimated steps are also paid for in
-- empty loop turns, one for a thousand steps, so that a thousand cheap-looking calls cannot hide between two ticks
-- of the hook. Beyond the bound, and for patterns that native code may refuse, matcher.lua runs the program: every
-- retry is Lua code, which the hook interrupts.

return function(raw, _)
  local byte, char, find, sub = raw.string.byte, raw.string.char, raw.string.find, raw.string.sub
  local next = raw.next
  local steps_max = raw.limits.patternStepsMax

  -- Steps below which a native call costs no loop turns at all.
  local steps_free <const> = 20000
  -- Programs kept; longer patterns are compiled again at each use.
  local programs_max <const>, program_bytes_max <const> = 256, 256
  -- Native recursion limit and capture limit (MAXCCALLS and LUA_MAXCAPTURES of lstrlib).
  local depth_max <const>, captures_max <const> = 200, 32
  local unfinished <const>, position <const> = -1, -2

  local SINGLE <const>, OPTIONAL <const>, STAR <const>, PLUS <const>, LAZY <const> = 1, 2, 3, 4, 5
  local OPEN <const>, CLOSE <const>, BALANCE <const>, FRONTIER <const>, BACK <const> = 6, 7, 8, 9, 10
  local TAIL <const>, PROBLEM <const>, NEVER <const> = 11, 12, 13
  local quantifiers = { [42] = STAR, [43] = PLUS, [45] = LAZY, [63] = OPTIONAL }

  -- Spends instructions in proportion to the work of a native call, so that the hook sees it.
  local function pay(steps)
    for _ = 1, steps // 1000 do end
  end

  local chars, any = {}, {}
  for code = 0, 255 do
    chars[code] = char(code)
    any[code] = true
  end

  local classes, classes_count = {}, 0

  -- The set of bytes that a single-character class matches, by asking the native matcher for each byte.
  local function class_of(text)
    if text == '.' then return any end
    local known = classes[text]
    if known then return known end
    local class = {}
    for code = 0, 255 do
      if find(chars[code], text) then class[code] = true end
    end
    if #text <= program_bytes_max then
      if classes_count >= programs_max then classes, classes_count = {}, 0 end
      classes[text], classes_count = class, classes_count + 1
    end
    return class
  end

  local function disjoint(one, other)
    for code in next, one do
      if other[code] then return false end
    end
    return true
  end

  -- Index after the set that begins at `at`, or nil when it has no end.
  local function set_end(pattern, at)
    at = at + 1
    if byte(pattern, at) == 94 then at = at + 1 end
    repeat
      local code = byte(pattern, at)
      if not code then return nil end
      at = at + 1
      if code == 37 and at <= #pattern then at = at + 1 end
    until byte(pattern, at) == 93
    return at + 1
  end

  -- Text of the class at `at` in a form that means the same anywhere in a pattern, and the index after it.
  local function class_text(pattern, at)
    local code = byte(pattern, at)
    if code == 37 then
      if at == #pattern then return nil, "malformed pattern (ends with '%')" end
      return sub(pattern, at, at + 1), at + 2
    elseif code == 91 then
      local stop = set_end(pattern, at)
      if not stop then return nil, "malformed pattern (missing ']')" end
      return sub(pattern, at, stop - 1), stop
    elseif code == 46 then
      return '.', at + 1
    elseif find(chars[code], '^[%w\128-\255]') then
      return chars[code], at + 1
    end
    return '%' .. chars[code], at + 1
  end

  local function escape_item(program, pattern, at)
    local code = byte(pattern, at + 1)
    if code == 98 then -- %bxy
      if at + 3 > #pattern then
        return { kind = PROBLEM, message = "malformed pattern (missing arguments to '%b')" }
      end
      return { kind = BALANCE, weight = 1, run = '^' .. sub(pattern, at, at + 3) }, at + 4
    elseif code == 102 then -- %f[set]
      if byte(pattern, at + 2) ~= 91 then
        return { kind = PROBLEM, message = "missing '[' after '%f' in pattern" }
      end
      local text, stop = class_text(pattern, at + 2)
      if not text then return { kind = PROBLEM, message = stop } end
      return { kind = FRONTIER, weight = 2 * #text, class = class_of(text) }, stop
    elseif code and code >= 48 and code <= 57 then -- %1
      local index = code - 48
      local state = program.captures[index]
      if not state or state == unfinished then
        return { kind = PROBLEM, message = 'invalid capture index %' .. index }
      end
      return { kind = state == position and NEVER or BACK, weight = 1, index = index }, at + 2
    end
    return nil
  end

  local function capture_item(program, pattern, at)
    local captures = program.captures
    if byte(pattern, at) == 40 then
      if #captures >= captures_max then return { kind = PROBLEM, message = 'too many captures' } end
      local here = byte(pattern, at + 1) == 41
      captures[#captures + 1] = here and position or unfinished
      return { kind = OPEN, weight = 1, position = here }, at + (here and 2 or 1)
    end
    for index = #captures, 1, -1 do
      if captures[index] == unfinished then
        captures[index] = 0
        return { kind = CLOSE, weight = 1, index = index }, at + 1
      end
    end
    return { kind = PROBLEM, message = 'invalid pattern capture' }
  end

  local function single_item(pattern, at)
    local text, stop = class_text(pattern, at)
    if not text then return { kind = PROBLEM, message = stop } end
    local kind = quantifiers[byte(pattern, stop)]
    local item = { kind = kind or SINGLE, weight = #text, text = text, class = class_of(text) }
    if kind == STAR or kind == PLUS then item.run = '^' .. text .. '*' end
    return item, kind and stop + 1 or stop
  end

  local function next_item(program, pattern, at)
    local code = byte(pattern, at)
    if code == 40 or code == 41 then return capture_item(program, pattern, at) end
    if code == 36 and at == #pattern then return { kind = TAIL, weight = 1 }, at + 1 end
    if code == 37 then
      local item, stop = escape_item(program, pattern, at)
      if item then return item, stop end
    end
    return single_item(pattern, at)
  end

  -- The class that must match right after item `i`, or nil when several or none could.
  local function follower(items, i)
    local item
    repeat
      i = i + 1
      item = items[i]
    until not item or (item.kind ~= OPEN and item.kind ~= CLOSE)
    if item and (item.kind == SINGLE or item.kind == PLUS) then return item end
    return nil
  end

  local function link(program)
    local items, deep = program.items, 0
    for i = 1, #items do
      local kind = items[i].kind
      if kind >= OPTIONAL and kind <= CLOSE then deep = deep + 1 end
    end
    program.deep = deep >= depth_max - 1
    if program.deep then return end
    for i = 1, #items do
      local item = items[i]
      if item.kind >= OPTIONAL and item.kind <= LAZY then
        local after = follower(items, i)
        if after then
          item.follow, item.follow_weight = after.class, after.weight
          item.apart = disjoint(item.class, after.class)
          local first = next(after.class)
          if item.kind == LAZY and item.class == any and first and not next(after.class, first) then
            item.literal = chars[first]
          end
        end
      end
    end
    local head = follower(items, 0)
    program.head = head and head.text
  end

  -- Worst-case steps of the native matcher for a subject of n bytes. `sure` is true while the items seen so far
  -- cannot fail; `ending` while they cannot fail at the end of the subject.
  local function cost(program, n)
    n = n + 0.0
    local failing, passing, total, linear, sure, ending = 0.0, 1.0, 1.0, true, true, true
    local items = program.items
    for i = #items, 1, -1 do
      local item = items[i]
      local kind, weight = item.kind, item.weight
      total = total + weight
      if kind == STAR or kind == PLUS or kind == LAZY then
        local fails
        if item.apart then
          local scan = n * (weight + item.follow_weight)
          fails, passing = scan + failing, scan + failing + passing
        else
          linear = linear and failing == 0
          fails = failing == 0 and weight or n * weight + (n + 1) * failing
          passing = n * weight + n * failing + passing
        end
        sure = kind ~= PLUS and (sure or (ending and item.class == any))
        ending = kind ~= PLUS and ending
        failing = sure and 0.0 or fails
      elseif kind == OPTIONAL then
        linear = linear and (item.apart or failing == 0)
        passing = weight + failing + passing
        failing = sure and 0.0 or weight + (item.apart and failing or 2 * failing)
      elseif kind == OPEN or kind == CLOSE then
        passing = 1 + passing
        failing = sure and 0.0 or 1 + failing
      else
        local work = (kind == BALANCE or kind == BACK) and n or weight
        passing, failing, sure = work + passing, work + failing, false
        ending = kind == TAIL
      end
    end
    if program.anchored then return failing + passing end
    return (n + 1) * failing + (linear and (n + 1) * total + passing or (n + 1) * passing)
  end

  -- The longest subject, as a power of two, whose cost stays within the steps; -1 when native code must not run.
  local function length_for(program, steps)
    if program.problem or program.deep then return -1 end
    local n = 8
    while n < 0x40000000 and cost(program, n * 2) <= steps do n = n * 2 end
    return cost(program, n) <= steps and n or 0
  end

  local function compile(pattern)
    local program = { items = {}, captures = {}, anchored = byte(pattern) == 94 }
    local items, at, item = program.items, program.anchored and 2 or 1, nil
    while at and at <= #pattern do
      item, at = next_item(program, pattern, at)
      items[#items + 1] = item
    end
    program.problem = not at
    for index = 1, #program.captures do
      if program.captures[index] == unfinished then program.problem = true end
    end
    -- What native find takes for literal text: ")" and "]" are not special there.
    program.plain = not find(pattern, '[%^%$%*%+%?%.%(%[%%%-]')
    link(program)
    program.free = length_for(program, steps_free)
    program.limit = length_for(program, steps_max)
    return program
  end

  local programs, programs_count = {}, 0

  -- The program of a pattern, from the cache when there is one.
  local function program_of(pattern)
    local program = programs[pattern]
    if program then return program end
    program = compile(pattern)
    if #pattern <= program_bytes_max then
      if programs_count >= programs_max then
        for key in next, programs do programs[key] = nil end
        programs_count = 0
      end
      programs[pattern], programs_count = program, programs_count + 1
    end
    return program
  end

  -- True when the native matcher may run on a subject of n bytes; its steps are then paid for.
  local function native(program, n)
    if n <= program.free then return true end
    if n > program.limit then return false end
    local steps = cost(program, n)
    if steps <= steps_max then pay(steps) end
    return steps <= steps_max
  end

  return {
    -- Programs in the cache by pattern; the table itself stays the same.
    programs = programs,
    program_of = program_of,
    native = native,
    pay = pay,
  }
end
