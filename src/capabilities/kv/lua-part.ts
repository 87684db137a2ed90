import { sharedPrefix } from './bind.js'
import { valueTags } from './lua-values.js'

/**
 * Lua side of the module: what calls functions of the plugin, or keeps something between two calls of the host. A
 * handle of `kv.shared` has the same members, over host functions that get the name of the namespace last.
 *
 * @param functions Names and numbers of parameters of the host functions that use a namespace.
 */
export function createKvLua(
  functions: readonly { readonly name: string; readonly params: number }[],
): string {
  const members = functions.map(({ name, params }) => sharedMember(name, params)).join('\n')
  return `
return function(host, raw)
  local type, error, pcall, next, select, rawget, rawlen = raw.type, raw.error, raw.pcall, raw.next, raw.select, raw.rawget, raw.rawlen
  local setmetatable, tostring = raw.setmetatable, raw.tostring

  -- Values that Lua has no type for ---------------------------------------------------------------------------------

  local function show(self) return tostring(rawget(self, 'value')) end
  for _, tag in raw.ipairs({ '${valueTags.bytes}', '${valueTags.u64}', '${valueTags.bigint}' }) do
    local metatable = raw.tag_metatable(tag)
    metatable.__tostring, metatable.__name = show, tag
  end

  local now_methods = {}
  local now_metatable = raw.tag_metatable('${valueTags.now}')
  now_metatable.__name = '${valueTags.now}'
  now_metatable.__index = raw.freeze('${valueTags.now}', now_methods)
  local function offset_of(time, ms, name)
    local offset = type(time) == 'table' and rawget(time, 'offset_ms')
    if type(offset) ~= 'number' then error('call it with a colon: kv.now():' .. name .. '(ms)', 3) end
    if type(ms) ~= 'number' then
      error("bad argument #1 to '" .. name .. "' (number expected, got " .. type(ms) .. ')', 3)
    end
    return offset
  end
  function now_methods.add(time, ms)
    return host.now(offset_of(time, ms, 'add') + ms)
  end
  function now_methods.sub(time, ms)
    return host.now(offset_of(time, ms, 'sub') - ms)
  end

  -- Atomic commits --------------------------------------------------------------------------------------------------

  -- What the builders hold, where plugins cannot reach it.
  local steps_of = setmetatable({}, { __mode = 'k' })

  local function add(builder, name, step)
    local held = type(builder) == 'table' and steps_of[builder]
    if not held then error('call it with a colon: kv.atomic():' .. name .. '(...)', 3) end
    if held.done then error('this ' .. held.what .. ' has ended; begin another one', 3) end
    step.type = name
    local steps = held.steps
    steps[#steps + 1] = step
    return builder
  end

  local writers = {}
  for _, name in raw.ipairs({ 'set', 'sum', 'max', 'min', 'append', 'prepend' }) do
    writers[name] = function(builder, key, value, options)
      return (add(builder, name, { key = key, value = value, options = options }))
    end
  end
  function writers.delete(builder, key)
    return (add(builder, 'delete', { key = key }))
  end
  function writers.enqueue(builder, value, options)
    return (add(builder, 'enqueue', { value = value, options = options }))
  end

  local atomic_methods = {}
  for name, writer in next, writers do atomic_methods[name] = writer end
  function atomic_methods.check(builder, first, ...)
    local is_entry = type(first) == 'table' and rawget(first, 'key') ~= nil
    if is_entry then
      return (add(builder, 'check', { key = rawget(first, 'key'), versionstamp = rawget(first, 'versionstamp') }))
    end
    if select('#', ...) == 0 then
      error('check needs an entry, or a key and a versionstamp, which is nil where there must be no entry', 2)
    end
    return (add(builder, 'check', { key = first, versionstamp = (...) }))
  end
  function atomic_methods.commit(builder)
    local held = type(builder) == 'table' and steps_of[builder]
    if not held then error('call it with a colon: kv.atomic():commit()', 2) end
    if held.done then error('this ' .. held.what .. ' has ended; begin another one', 2) end
    local ok, result, problem = pcall(held.commit, held.steps)
    if not ok then error(result, 2) end
    -- What could not be tried can be tried again.
    held.done = result ~= nil
    return result, problem
  end

  local function builder_metatable(name, methods)
    return { __index = raw.freeze(name, methods), __name = name, __metatable = 'protected', __newindex = function()
      error(name .. ' has no fields to set', 2)
    end }
  end
  local atomic_metatable = builder_metatable('kv.Atomic', atomic_methods)

  local function begin(metatable, what, commit)
    local builder = setmetatable({}, metatable)
    local held = { what = what, commit = commit, steps = {} }
    steps_of[builder] = held
    return builder, held
  end

  -- Transactions ----------------------------------------------------------------------------------------------------

  local transaction_methods = {}
  for name, writer in next, writers do transaction_methods[name] = writer end
  function transaction_methods.get(builder, key)
    local held = type(builder) == 'table' and steps_of[builder]
    if not held then error('call it with a colon: tx:get(key)', 2) end
    if held.done then error('this transaction has ended; begin another one', 2) end
    local ok, name = pcall(host._name, key)
    if not ok then error(name, 2) end
    local read = held.reads[name]
    if read == nil then
      local entry, problem = held.get(key)
      if entry == nil then return nil, problem end
      read = { entry = entry, versionstamp = entry.versionstamp }
      held.reads[name] = read
    end
    return read.entry
  end
  local transaction_metatable = builder_metatable('kv.Transaction', transaction_methods)

  local function attempt(fn, get, commit)
    local builder, held = begin(transaction_metatable, 'transaction', commit)
    held.get, held.reads = get, {}
    local ok, value = pcall(fn, builder)
    held.done = true
    if not ok then error(value, 0) end
    local steps = held.steps
    for name, read in next, held.reads do
      steps[#steps + 1] = { type = 'check', name = name, versionstamp = read.versionstamp }
    end
    local result, problem = commit(steps)
    return result, problem, value
  end

  local function transaction(fn, options, get, commit)
    if type(fn) ~= 'function' then
      error("bad argument #1 to 'kv.transaction' (function expected, got " .. type(fn) .. ')', 3)
    end
    local ok, retries = pcall(host._retries, options)
    if not ok then error(retries, 3) end
    for _ = 0, retries do
      local result, problem, value = attempt(fn, get, commit)
      if result == nil then return nil, problem end
      if result.ok then return { ok = true, value = value, versionstamp = result.versionstamp } end
    end
    return { ok = false, error = 'conflict' }
  end

  -- Lists -----------------------------------------------------------------------------------------------------------

  local list_methods = {}
  local cursor_of = setmetatable({}, { __mode = 'k' })
  function list_methods.cursor(list)
    local cursor = type(list) == 'table' and cursor_of[list]
    if not cursor then error('call it with a colon: list:cursor()', 2) end
    return cursor()
  end
  local list_index = raw.freeze('kv.List', list_methods)

  local function open_list(options, page)
    if options ~= nil and type(options) ~= 'table' then
      error("bad argument #1 to 'kv.list' (table expected, got " .. type(options) .. ')', 3)
    end
    local own = {}
    if options ~= nil then
      for name, value in next, options do own[name] = value end
    end
    local entries, at, count, taken, finished = nil, 0, 0, 0, false
    local cursor = own.cursor
    -- Level 2 is the line of the loop.
    local function step()
      while at >= count do
        if finished then return nil end
        local ok, more, rest = pcall(page, own, cursor, taken)
        if not ok then error(more, 2) end
        if more == nil then error('kv.list: ' .. rest, 2) end
        entries, at, count = more, 0, rawlen(more)
        taken, cursor = taken + count, rest
        finished = rest == nil or (type(own.limit) == 'number' and taken >= own.limit)
      end
      at = at + 1
      return entries[at]
    end
    local list = setmetatable({}, { __call = step, __index = list_index, __name = 'kv.List', __metatable = 'protected' })
    cursor_of[list] = function()
      if at < count and at > 0 then return host._cursor(entries[at].key) end
      return cursor
    end
    return list
  end

  -- Handles ---------------------------------------------------------------------------------------------------------

  local function complete(members, get, page, commit)
    members.list = function(options) return (open_list(options, page)) end
    members.atomic = function() return (begin(atomic_metatable, 'atomic commit', commit)) end
    -- Not a tail call: level 3 is the plugin's line.
    members.transaction = function(fn, options)
      local result, problem = transaction(fn, options, get, commit)
      return result, problem
    end
    return members
  end

  local function shared(name)
    host._check_name(name)
    local members = {
${members}
    }
    members.on_change = function(prefix, handler, options)
      return host.${sharedPrefix}on_change(prefix, handler, options, name)
    end
    local function page(options, cursor, taken) return host.${sharedPrefix}page(options, cursor, taken, name) end
    local function commit(steps) return host.${sharedPrefix}commit(steps, name) end
    return raw.freeze('kv.shared("' .. name .. '")', complete(members, members.get, page, commit))
  end

  local members = complete({}, host.get, host._page, host._commit)
  members.shared = function(name) return (shared(name)) end
  return members
end
`
}

const letters = ['a', 'b', 'c', 'd'] as const

function sharedMember(name: string, params: number): string {
  const given = letters.slice(0, params).join(', ')
  const passed = params === 0 ? 'name' : `${given}, name`
  // As a string, for a name that is a keyword of Lua.
  return `      ['${name}'] = function(${given}) return host.${sharedPrefix}${name}(${passed}) end,`
}
