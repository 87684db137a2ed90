-- Builds the world that plugin code sees. Runs once per VM, before any plugin code, with the full libraries; what
-- is not put into `globals` here does not exist for plugins.
--
-- Arguments: host       the one function of the host: host(operation, ...)
--            operations numbers of the host's internal operations, by name
--            libraries  functions that build the safe string, table, math and utf8 libraries
--            limits     bounds for those libraries
-- Returns a table of functions and tables that only the host holds.
local host, operations, libraries, limits = ...

local type, error, pcall, xpcall, select, next = type, error, pcall, xpcall, select, next
local rawget, rawset, rawsetmetatable, rawtostring = rawget, rawset, setmetatable, tostring
local getanymetatable, collectgarbage = debug.getmetatable, collectgarbage
local getinfo, load = debug.getinfo, load
local resume, yield, create, running, status = coroutine.resume, coroutine.yield, coroutine.create, coroutine.running,
  coroutine.status
local isyieldable = coroutine.isyieldable
local concat, find = table.concat, string.find

local enter, leave = operations.enter, operations.leave

-- Addresses would tell plugins where things lie, so a value without a text of its own is named by its type.
local function tostring(...)
  if select('#', ...) == 0 then error("bad argument #1 to 'tostring' (value expected)", 2) end
  local value = ...
  local kind = type(value)
  if kind == 'table' then
    local metatable = getanymetatable(value)
    if metatable == nil then return kind end
    if rawget(metatable, '__tostring') ~= nil then return rawtostring(value) end
    local name = rawget(metatable, '__name')
    return type(name) == 'string' and name or kind
  elseif kind == 'userdata' then
    return 'null'
  elseif kind == 'function' or kind == 'thread' then
    return kind
  end
  return rawtostring(value)
end

local function setmetatable(...)
  local object, metatable = ...
  if type(object) ~= 'table' then
    error("bad argument #1 to 'setmetatable' (table expected, got " .. type(object) .. ')', 2)
  end
  if select('#', ...) < 2 or (metatable ~= nil and type(metatable) ~= 'table') then
    error("bad argument #2 to 'setmetatable' (nil or table expected)", 2)
  end
  -- A finalizer runs where no budget reaches it. Lua looks for __gc only here, so a later assignment has no effect.
  if metatable ~= nil and rawget(metatable, '__gc') ~= nil then
    error("a metatable with '__gc' is not allowed in plugins", 2)
  end
  local current = getanymetatable(object)
  if current ~= nil and rawget(current, '__metatable') ~= nil then
    error('cannot change a protected metatable', 2)
  end
  return rawsetmetatable(object, metatable)
end

local function print(...)
  local texts = {}
  for at = 1, select('#', ...) do texts[at] = tostring((select(at, ...))) end
  host(operations.print, concat(texts, '\t'))
end

local function count_garbage(option)
  if option == 'count' then return (collectgarbage('count')) end
  error("collectgarbage: only 'count' is available in plugins", 2)
end

-- Frozen modules -----------------------------------------------------------------------------------------------

local function freeze(name, members)
  return rawsetmetatable({}, {
    __index = members,
    __newindex = function(_, key)
      error('cannot modify frozen module "' .. name .. '": key "' .. tostring(key) .. '" is read-only', 2)
    end,
    __metatable = 'protected',
  })
end

-- Coroutines ---------------------------------------------------------------------------------------------------
-- Host functions that wait suspend the whole call: their yield passes through the coroutines of the plugin.

local suspension = {}
local call_number = 0
local main
local made_in = rawsetmetatable({}, { __mode = 'k' })

local function settle(thread, ...)
  local ok, first = ...
  if ok and first == suspension and status(thread) == 'suspended' then
    return settle(thread, resume(thread, yield(suspension)))
  end
  return ...
end

local function check_thread(thread, name)
  if type(thread) ~= 'thread' then
    error("bad argument #1 to '" .. name .. "' (coroutine expected)", 3)
  end
end

local function resume_plugin(thread, ...)
  if made_in[thread] ~= call_number then
    return false, 'cannot resume a coroutine that was created in an earlier call'
  end
  return settle(thread, resume(thread, ...))
end

local function create_plugin(body)
  if type(body) ~= 'function' then
    error("bad argument #1 to 'create' (function expected)", 2)
  end
  local thread = create(body)
  made_in[thread] = call_number
  return thread
end

local function unwrap(ok, ...)
  if not ok then error((...), 0) end
  return ...
end

local coroutine_members = {
  create = create_plugin,
  resume = function(thread, ...)
    check_thread(thread, 'resume')
    return resume_plugin(thread, ...)
  end,
  wrap = function(body)
    local thread = create_plugin(body)
    return function(...) return unwrap(resume_plugin(thread, ...)) end
  end,
  yield = function(...)
    if running() == main then error('attempt to yield from outside a coroutine', 2) end
    return yield(...)
  end,
  running = function()
    local thread = running()
    return thread, thread == main
  end,
  isyieldable = function() return running() ~= main end,
  status = coroutine.status,
  close = coroutine.close,
}

-- Globals ------------------------------------------------------------------------------------------------------
-- Names of the host live in `globals`, behind __index, so that an assignment to one always reaches __newindex.
-- Names of the plugin are plain fields of its environment; those created during a call are noted and removed.

local globals = {}
local environment = {}
local known, journal = {}, {}
local sealed, recording, dirty = false, false, false

rawsetmetatable(environment, {
  __index = globals,
  __newindex = function(_, key, value)
    if rawget(globals, key) ~= nil then
      error('cannot reassign the read-only global "' .. tostring(key) .. '"', 2)
    end
    if recording and value ~= nil and not known[key] then
      journal[key] = true
      dirty = true
    end
    rawset(environment, key, value)
  end,
  __metatable = 'protected',
})

local function forget_globals()
  for key in next, journal do
    rawset(environment, key, nil)
    journal[key] = nil
  end
  dirty = false
end

-- Modules of the plugin ----------------------------------------------------------------------------------------

local loaded, loading = {}, {}

local function check_module_name(name)
  if type(name) ~= 'string' then
    error("bad argument #1 to 'require' (string expected, got " .. type(name) .. ')', 3)
  end
  if name == '' or find(name, '..', 1, true) or find(name, '[/\\%z%c]') then
    error('module name must be a simple name of a file in lib/, without path', 3)
  end
end

local function require(name)
  check_module_name(name)
  if loaded[name] ~= nil then return loaded[name] end
  if loading[name] then error("module '" .. name .. "' requires itself", 2) end
  local chunk = host(operations.load_module, name)
  local was_recording = recording
  recording, loading[name] = false, true
  local ok, result = pcall(chunk, name)
  recording, loading[name] = was_recording, nil
  if not ok then
    error("error loading module '" .. name .. "': " .. (type(result) == 'string' and result or tostring(result)), 0)
  end
  if was_recording then
    for key in next, environment do known[key] = known[key] or not journal[key] end
  end
  loaded[name] = result
  return result
end

-- Libraries ----------------------------------------------------------------------------------------------------

local raw = {
  string = string, table = table, math = math, utf8 = utf8, coroutine = coroutine,
  type = type, error = error, pcall = pcall, xpcall = xpcall, select = select, next = next, ipairs = ipairs,
  pairs = pairs, tonumber = tonumber, tostring = tostring, rawget = rawget, rawset = rawset, rawlen = rawlen,
  rawequal = rawequal, getmetatable = getanymetatable, setmetatable = rawsetmetatable, limits = limits,
  libraries = libraries, getinfo = getinfo, load = load, environment = environment, globals = globals, freeze = freeze,
  describe = tostring,
  -- The metatable of the tables that a module marks with a tag, for its Lua part to give them methods.
  tag_metatable = function(tag) return host(operations.tag_metatable, tag) end,
}
local seeds = { seed = function() return host(operations.seed) end }

local string_members = libraries.string(raw, seeds)
local table_members = libraries.table(raw, seeds)

local string_metatable = getanymetatable('')
string_metatable.__index = string_members
string_metatable.__metatable = 'protected'

globals._G = environment
globals._VERSION = _VERSION
globals.assert, globals.error, globals.pcall, globals.xpcall = assert, error, pcall, xpcall
globals.ipairs, globals.pairs, globals.next, globals.select = ipairs, pairs, next, select
globals.type, globals.tonumber, globals.tostring = type, tonumber, tostring
globals.getmetatable, globals.setmetatable = getmetatable, setmetatable
globals.print, globals.require, globals.collectgarbage = print, require, count_garbage
globals.unpack = table_members.unpack
globals.string = freeze('string', string_members)
globals.table = freeze('table', table_members)
globals.math = freeze('math', libraries.math(raw, seeds))
globals.utf8 = freeze('utf8', libraries.utf8(raw, seeds))
globals.coroutine = freeze('coroutine', coroutine_members)

-- What the host calls ------------------------------------------------------------------------------------------

local function bind(operation)
  return function(...) return host(operation, ...) end
end

-- Called in tail position: level 2 is the plugin's line.
local function resumed(ok, ...)
  if not ok then error((...), 2) end
  return ...
end

-- What cannot be waited for is not begun.
local function bind_async(operation)
  return function(...)
    if not isyieldable() then
      error('this function waits, which is not possible in a callback of table.sort or string.gsub, '
        .. 'in a metamethod or in a closing variable', 2)
    end
    host(operation, ...)
    return resumed(yield(suspension))
  end
end

-- Installs one module of the host. A function whose name starts with "_" is only for the module's own Lua part. Of a
-- hidden module plugin code sees nothing: its Lua part gives functions that the host calls.
local hidden = {}
local function install(name, functions, constants, extend, is_hidden)
  local visible, all = {}, {}
  for _, entry in ipairs(functions) do
    local bound = entry.async and bind_async(entry.operation) or bind(entry.operation)
    all[entry.name] = bound
    if not find(entry.name, '^_') then visible[entry.name] = bound end
  end
  for key, value in next, constants do visible[key] = value end
  if is_hidden then
    hidden[name] = extend(all, raw)
    return
  end
  if extend then
    for key, value in next, extend(all, raw) do visible[key] = value end
  end
  globals[name] = freeze(name, visible)
end

local function apply(handler, ...) return handler(...) end

-- Runs one call: `enter` gives the function and its arguments, `leave` takes the results. Both run in here so that
-- running out of memory while values cross is an ordinary Lua error.
local function run()
  main = running()
  call_number = call_number + 1
  -- An earlier call may have left a module half loaded, in a coroutine that nobody resumed.
  recording = sealed
  for name in next, loading do loading[name] = nil end
  if dirty then forget_globals() end
  host(leave, apply(host(enter)))
  if dirty then forget_globals() end
end

-- Calls middleware in order until one answers with a table, else the handler.
local function chain(request, handler, ...)
  for at = 1, select('#', ...) do
    local response = (select(at, ...))(request)
    if type(response) == 'table' then return response end
  end
  return handler(request)
end

-- Ends the time in which new globals are the plugin's own.
local function seal()
  for key in next, environment do known[key] = true end
  sealed, recording = true, true
end

return { environment = environment, hidden = hidden, install = install, run = run, chain = chain, seal = seal }
