import { ownMetricLimits } from '../../base/limits/telemetry.js'

const places = Array.from({ length: ownMetricLimits.labelsMax }, (_unused, at) => `values[${at + 1}]`).join(
  ', ',
)

/**
 * Lua side of the module: the handles. Label values are looked at here, so that a long one never crosses to the host:
 * `false` stands in its place.
 */
export const metricsLua = `
return function(host, raw)
  local type, error, pcall, next = raw.type, raw.error, raw.pcall, raw.next
  local rawget, rawlen, rawequal, tostring, sub = raw.rawget, raw.rawlen, raw.rawequal, raw.tostring, raw.string.sub

  -- Level 4 is the plugin's line: it called a method, that read_labels, and that this.
  local function text_of(value, name, title)
    local kind = type(value)
    if kind == 'string' then return rawlen(value) <= ${ownMetricLimits.labelBytesMax} and value end
    if kind == 'nil' then return '' end
    if kind == 'number' or kind == 'boolean' then return (tostring(value)) end
    error(title .. ': the label "' .. name .. '" must be a string, a number or a boolean, not a ' .. kind, 4)
  end

  local function read_labels(labels, names, known, title)
    local values = {}
    if labels == nil then labels = {} end
    if type(labels) ~= 'table' then
      error(title .. ': the labels must be a table such as { status = "ok" }, not a ' .. type(labels), 3)
    end
    for at = 1, rawlen(names) do values[at] = text_of(rawget(labels, names[at]), names[at], title) end
    for key in next, labels do
      if not rawget(known, key) then
        local shown = type(key) == 'string' and '"' .. sub(key, 1, 64) .. '"' or 'that is a ' .. type(key)
        error(title .. ': unknown label ' .. shown, 3)
      end
    end
    return values
  end

  local function number_of(value, title)
    if type(value) == 'number' then return value end
    error(title .. ': a number is expected, not a ' .. type(value), 3)
  end

  local function method(handle, name, act, default, sign)
    return function(self, value, labels)
      local title = handle.title .. ':' .. name
      if not rawequal(self, handle.own) then error('call it with a colon: ' .. title .. '(...)', 2) end
      if value == nil then value = default end
      value = number_of(value, title)
      local values = read_labels(labels, handle.names, handle.known, title)
      local ok, problem = pcall(act, handle.index, sign * value, ${places})
      if not ok then error(problem, 2) end
    end
  end

  local methods = {
    counter = function(handle) return { inc = method(handle, 'inc', host._inc, 1, 1) } end,
    gauge = function(handle)
      return {
        inc = method(handle, 'inc', host._inc, 1, 1),
        dec = method(handle, 'dec', host._inc, 1, -1),
        set = method(handle, 'set', host._set, nil, 1),
      }
    end,
    histogram = function(handle) return { observe = method(handle, 'observe', host._observe, nil, 1) } end,
  }

  local function declare(kind)
    local register = host['_' .. kind]
    return function(name, options)
      local ok, index, names = pcall(register, name, options)
      if not ok then error(index, 2) end
      local handle = { title = kind .. ' ' .. name, index = index, names = names, known = {} }
      for at = 1, rawlen(names) do handle.known[names[at]] = true end
      handle.own = raw.freeze(handle.title, methods[kind](handle))
      return handle.own
    end
  end

  return { counter = declare('counter'), gauge = declare('gauge'), histogram = declare('histogram') }
end
`
