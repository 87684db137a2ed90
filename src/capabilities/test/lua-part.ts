import { testLimits } from '../../base/limits/harness.js'

/**
 * Lua side of the module `test`: what calls functions of the plugin or looks into its values. Gives the functions
 * that the call kind pushes: `run` runs one test of a file, `hold` keeps its VM busy, `idle` does nothing.
 *
 * A test file has an environment of its own, which falls back to `test` and then to what the plugin sees: what it
 * defines, the plugin does not see.
 */
export const testLua = `
return function(host, raw)
  local type, error, pcall, xpcall, next, select = raw.type, raw.error, raw.pcall, raw.xpcall, raw.next, raw.select
  local rawget, rawset, rawequal, setmetatable = raw.rawget, raw.rawset, raw.rawequal, raw.setmetatable
  local getinfo, describe_kind = raw.getinfo, raw.describe
  local concat, sort = raw.table.concat, raw.table.sort
  local find, sub, format, gsub, match = raw.string.find, raw.string.sub, raw.string.format, raw.string.gsub, raw.string.match

  local source = ''
  local setup, teardown
  -- Line of the running test's function, where nothing better is known.
  local first_line = 0

  -- Where ----------------------------------------------------------------------------------------------------------

  -- The innermost line of the test file that is running. A tail call takes its line from the stack.
  local function current_line()
    for level = 2, ${testLimits.stackLevelsMax} do
      local info = getinfo(level, 'Sl')
      if info == nil then return first_line end
      if info.source == source then return info.currentline end
    end
    return first_line
  end

  -- Showing values -------------------------------------------------------------------------------------------------

  local function show_text(text)
    local cut = sub(text, 1, ${testLimits.shownTextBytes})
    return '"' .. gsub(cut, '[%c"\\\\]', function(character)
      local known = ({ ['\\n'] = '\\\\n', ['\\t'] = '\\\\t', ['\\r'] = '\\\\r', ['"'] = '\\\\"', ['\\\\'] = '\\\\\\\\' })[character]
      return known or format('\\\\%03d', raw.string.byte(character))
    end) .. (#text > #cut and '"...' or '"')
  end

  local show
  local function show_key(key)
    if type(key) == 'string' and find(key, '^[%a_][%w_]*$') then return key end
    return '[' .. show(key, ${testLimits.shownDepth}) .. ']'
  end

  local function key_order(a, b)
    if type(a) ~= type(b) then return type(a) < type(b) end
    if type(a) == 'number' or type(a) == 'string' then return a < b end
    return false
  end

  function show(value, depth)
    local kind = type(value)
    if kind == 'string' then return show_text(value) end
    if kind ~= 'table' then return describe_kind(value) end
    if depth >= ${testLimits.shownDepth} then return next(value) == nil and '{}' or '{...}' end
    local keys, count, more = {}, 0, false
    for key in next, value do
      if count == ${testLimits.shownKeys} then more = true break end
      count = count + 1
      keys[count] = key
    end
    sort(keys, key_order)
    local parts = {}
    for at = 1, count do
      local key = keys[at]
      local text = show(rawget(value, key), depth + 1)
      parts[at] = key == at and text or show_key(key) .. ' = ' .. text
    end
    if more then parts[count + 1] = '...' end
    return count == 0 and '{}' or '{ ' .. concat(parts, ', ') .. ' }'
  end

  -- Comparing ------------------------------------------------------------------------------------------------------

  local function step(path, key)
    if type(key) == 'string' and find(key, '^[%a_][%w_]*$') then return path .. '.' .. key end
    return path .. '[' .. show(key, ${testLimits.shownDepth}) .. ']'
  end

  -- Gives nothing when the values are equal, else where they first differ and what stands there.
  local function difference(expected, actual, path, seen, depth)
    if rawequal(expected, actual) then return nil end
    if type(expected) ~= 'table' or type(actual) ~= 'table' then return path, expected, actual end
    if rawequal(seen[expected], actual) then return nil end
    if depth >= ${testLimits.comparedDepthMax} then error('tables are nested too deep to be compared', 0) end
    seen[expected] = actual
    for key, value in next, expected do
      local where, e, a = difference(value, rawget(actual, key), step(path, key), seen, depth + 1)
      if where then return where, e, a end
    end
    for key, value in next, actual do
      if rawget(expected, key) == nil then return step(path, key), nil, value end
    end
    return nil
  end

  -- Assertions: they note what is wrong and go on. -----------------------------------------------------------------

  local function prefixed(message, text)
    if message == nil then return text end
    return (type(message) == 'string' and message or show(message, 0)) .. ': ' .. text
  end

  local function check(ok, message, text)
    if ok then
      host._passed()
      return true
    end
    host._failed(prefixed(message, text), current_line())
    return false
  end

  local members = {
    request = host.request,
    fire_hook = host.fire_hook,
    wait_hooks = host.wait_hooks,
    wait_messages = host.wait_messages,
    mock_request = host.mock_request,
    mock_check = host.mock_check,
    authorize = host.authorize,
    requests = host.requests,
    log = host.log,
  }

  function members.assert(value, message)
    local ok = check(value ~= nil and value ~= false, message, 'expected a true value, got ' .. describe_kind(value))
    return ok
  end

  function members.assert_eq(expected, actual, message)
    local where, e, a = difference(expected, actual, '', {}, 0)
    local text = ''
    if where then
      text = (where == '' and '' or 'at ' .. where .. ': ') .. 'expected ' .. show(e, 0) .. ', got ' .. show(a, 0)
      if type(e) ~= type(a) then text = text .. ' (' .. type(e) .. ' and ' .. type(a) .. ')' end
    end
    local ok = check(where == nil, message, text)
    return ok
  end

  function members.assert_neq(unexpected, actual, message)
    local where = difference(unexpected, actual, '', {}, 0)
    local ok = check(where ~= nil, message, where ~= nil and '' or 'expected anything but ' .. show(actual, 0))
    return ok
  end

  function members.assert_nil(value, message)
    local ok = check(value == nil, message, value == nil and '' or 'expected nil, got ' .. show(value, 0))
    return ok
  end

  function members.assert_not_nil(value, message)
    local ok = check(value ~= nil, message, 'expected a value, got nil')
    return ok
  end

  local function error_text(thrown)
    if type(thrown) == 'string' then return thrown end
    return type(thrown) == 'table' and show(thrown, 0) or describe_kind(thrown)
  end

  function members.assert_error(fn, substring)
    if type(fn) ~= 'function' then
      error("bad argument #1 to 'test.assert_error' (function expected, got " .. type(fn) .. ')', 2)
    end
    if substring ~= nil and type(substring) ~= 'string' then
      error("bad argument #2 to 'test.assert_error' (string expected, got " .. type(substring) .. ')', 2)
    end
    local ok, thrown = pcall(fn)
    if ok then
      check(false, nil, 'expected an error, and none was raised')
      return false
    end
    local text = error_text(thrown)
    local has = substring == nil or find(text, substring, 1, true) ~= nil
    local right = check(has, nil, has and '' or 'expected an error with ' .. show_text(substring) .. ', got ' .. show_text(text))
    return right, thrown
  end

  function members.assert_contains(text, part, message)
    local are_texts = type(text) == 'string' and type(part) == 'string'
    local has = are_texts and find(text, part, 1, true) ~= nil
    local ok = check(has, message, has and '' or 'expected ' .. show(text, 0) .. ' to contain ' .. show(part, 0))
    return ok
  end

  local function fixture(name, set)
    return function(fn)
      if type(fn) ~= 'function' then
        error("bad argument #1 to 'test." .. name .. "' (function expected, got " .. type(fn) .. ')', 2)
      end
      set(fn)
    end
  end
  members.setup = fixture('setup', function(fn) setup = fn end)
  members.teardown = fixture('teardown', function(fn) teardown = fn end)

  -- The world of a test file ---------------------------------------------------------------------------------------

  local names = { test = raw.freeze('test', members) }
  local environment = {}
  names._G = environment
  setmetatable(names, { __index = raw.environment })
  setmetatable(environment, {
    __index = names,
    __newindex = function(_, key, value)
      if rawget(names, key) ~= nil or rawget(raw.globals, key) ~= nil then
        error('cannot reassign the read-only global "' .. describe_kind(key) .. '"', 2)
      end
      rawset(environment, key, value)
    end,
    __metatable = 'protected',
  })

  -- Running --------------------------------------------------------------------------------------------------------

  -- A message of the test file itself says its line in front, which is reported beside it.
  local function without_place(text)
    local place = sub(source, 2) .. ':'
    if sub(text, 1, #place) ~= place then return text, nil end
    local line, rest = match(text, '^(%d+): (.*)$', #place + 1)
    if line == nil then return text, nil end
    return rest, raw.tonumber(line)
  end

  local function on_error(thrown)
    local text, line = without_place(error_text(thrown))
    return { text = text, line = line or current_line() }
  end

  local function attempt(prefix, fn)
    local ok, thrown = xpcall(fn, on_error)
    if ok then return true end
    -- Without memory there is none for the handler either.
    if type(thrown) ~= 'table' then thrown = { text = error_text(thrown), line = first_line } end
    host._raised(prefix .. thrown.text, thrown.line)
    return false
  end

  local function list_tests()
    local list, count = {}, 0
    for name, value in next, environment do
      if type(name) == 'string' and find(name, '^test_') and type(value) == 'function' then
        count = count + 1
        list[count] = { name = name, line = getinfo(value, 'S').linedefined }
      end
    end
    sort(list, function(a, b)
      if a.line ~= b.line then return a.line < b.line end
      return a.name < b.name
    end)
    local flat, lines = {}, {}
    for at = 1, count do
      flat[at] = list[at].name .. ' ' .. list[at].line
      lines[list[at].name] = list[at].line
    end
    return flat, lines
  end

  local function run(chunk_name, text)
    source = '@' .. chunk_name
    local chunk, problem = raw.load(text, source, 't', environment)
    if chunk == nil then
      local message, line = without_place(problem)
      host._raised(message, line or 0)
      return
    end
    if not attempt('', chunk) then return end
    local tests, lines = list_tests()
    local chosen = host._begin(concat(tests, '\\n'))
    local fn = chosen ~= nil and rawget(environment, chosen)
    if not fn then return end
    first_line = lines[chosen]
    if setup == nil or attempt('setup: ', setup) then attempt('', fn) end
    if teardown ~= nil then attempt('teardown: ', teardown) end
  end

  return { run = run, hold = host._hold, idle = function() end }
end
`
