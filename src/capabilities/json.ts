import { parseJson } from '../sandbox/json-parser.js'
import { jsonText } from '../sandbox/json-text.js'
import { DecodedJson, LuaRaise, type LuaValue, Tagged } from '../sandbox/lua-value.js'
import { phases } from '../sandbox/phase.js'
import { arrayTag } from '../sandbox/tags.js'
import { defineCapability } from './define.js'

/** The Lua module `json`. */
export const jsonCapability = defineCapability({
  name: 'json',
  doc: 'Encodes and decodes JSON. Nothing is rounded: integers of 64 bits keep all their digits both ways.',
  constants: [
    {
      name: 'null',
      value: null,
      luaType: 'lightuserdata',
      doc: 'Stands for null where nil would leave a member or an element out. The same value as `db.null`.',
    },
  ],
  functions: [
    {
      name: 'encode',
      doc: [
        'Writes a value as JSON text, with sorted keys.',
        '',
        'A table with the keys 1..n is an array, any other an object whose number keys become text; an empty table',
        'is `{}` unless it is a query result or comes from `json.array`. Raises for functions, cycles, NaN and',
        'infinities, strings that are not UTF-8, and tables nested deeper than 64 levels.',
      ].join('\n'),
      params: [{ name: 'value', type: 'any', doc: 'What to encode; nil gives `null`.' }],
      returns: [{ luaType: 'string', doc: 'JSON text without line breaks.' }],
      phases,
      cost: 0,
      mode: 'sync',
      example: 'local text = json.encode({ tags = json.array(tags), owner = owner or json.null })',
      handler: (_call, value) => guarded('json.encode', () => jsonText(value ?? null)),
    },
    {
      name: 'decode',
      doc: [
        'Reads JSON text. Null members of objects are left out, nulls inside arrays are `json.null`, so that later',
        'elements keep their places; the last of two equal keys wins. Raises when the text is not JSON or is nested',
        'deeper than 64 levels.',
      ].join('\n'),
      params: [{ name: 'text', type: 'string', doc: 'JSON text.' }],
      returns: [{ luaType: 'any', doc: 'The value; nil for `null`.' }],
      phases,
      cost: 0,
      mode: 'sync',
      example: 'local order = json.decode(req.body)',
      handler: (_call, text) => guarded('json.decode', () => decode(text)),
    },
    {
      name: 'array',
      doc: 'Gives a table that is an array also when it is empty: it encodes as `[]` then.',
      params: [
        { name: 'list', type: 'table', optional: true, doc: 'Elements to start with; none when missing.' },
      ],
      returns: [{ luaType: 'any[]', doc: 'A copy of the list, marked as an array.' }],
      phases,
      cost: 0,
      mode: 'sync',
      example: 'return { json = { items = json.array() } }',
      handler: (_call, list) => toArray(list),
    },
  ],
})

function decode(text: LuaValue): LuaValue {
  if (typeof text !== 'string') throw new LuaRaise('the text is not valid UTF-8')
  const value = parseJson(text)
  return value === null ? undefined : new DecodedJson(value)
}

function toArray(list: LuaValue): LuaValue {
  if (list === undefined) return []
  if (Array.isArray(list)) return list
  const isEmpty =
    typeof list === 'object' && list !== null && !(list instanceof Tagged) && Object.keys(list).length === 0
  if (isEmpty) return []
  throw new LuaRaise(`json.array: the keys of the table must be 1..n (${arrayTag})`)
}

/** Puts the function's name in front of what a plugin author reads. */
function guarded(name: string, act: () => LuaValue): LuaValue {
  try {
    return act()
  } catch (error) {
    if (error instanceof LuaRaise || error instanceof SyntaxError)
      throw new LuaRaise(`${name}: ${error.message}`)
    throw error
  }
}
