import { kvLimits } from '../../base/limits/kv.js'
import { checkDigits } from '../../kv/value.js'
import { LuaRaise, type LuaValue, Tagged } from '../../sandbox/lua-value.js'
import { phases } from '../../sandbox/phase.js'
import type { FunctionDefinition } from '../define.js'
import { translate } from './bind.js'
import { valueTags } from './lua-values.js'
import { describe, readDecimal, readU64 } from './read-values.js'

/** Declares a function that touches no store and costs nothing. */
function pure(
  fn: Pick<FunctionDefinition, 'name' | 'doc' | 'params' | 'returns' | 'example'>,
  run: (...args: LuaValue[]) => LuaValue,
): FunctionDefinition {
  return {
    ...fn,
    phases,
    cost: 0,
    mode: 'sync',
    handler(_call, ...args) {
      try {
        return run(...args)
      } catch (error) {
        throw translate(error, fn.name)
      }
    },
  }
}

/** Declares the makers of values that Lua has no type for. */
export function valueFunctions(): readonly FunctionDefinition[] {
  return [bytesFunction(), u64Function(), bigintFunction(), nowFunction()]
}

function bytesFunction(): FunctionDefinition {
  return pure(
    {
      name: 'bytes',
      doc: [
        'Marks a string as bytes. A key needs it where a string is not valid UTF-8; bytes sort before all strings, and',
        '`kv.bytes("a")` is another key than `"a"`. As a value it is stored as bytes and comes back as a string; a',
        'string that is not UTF-8 is stored so without being marked. In keys that come back, bytes are such a table',
        'again: its field `value`, and `tostring` of it, is the string. Raises for what is no string.',
      ].join('\n'),
      params: [{ name: 'value', type: 'any', luaType: 'string', doc: 'Any bytes.' }],
      returns: [{ luaType: 'kv.Bytes', doc: 'For keys and values.' }],
      example: 'kv.set({ "digests", kv.bytes(digest) }, { size = #body })',
    },
    (value) => {
      if (typeof value === 'string') return new Tagged(valueTags.bytes, { value })
      if (value instanceof Uint8Array) return new Tagged(valueTags.bytes, { value })
      throw new LuaRaise(`expected a string, got ${describe(value)}`)
    },
  )
}

function u64Function(): FunctionDefinition {
  return pure(
    {
      name: 'u64',
      doc: [
        'Makes a counter of 64 bits without sign, for `kv.set` and the steps `sum`, `min` and `max`: a sum on it is',
        'exact up to 18446744073709551615 and refused beyond. Comes back as an integer while that fits in Lua, and as',
        'such a table above 9223372036854775807. A sum keeps the type of the entry. Raises for what is not in range.',
      ].join('\n'),
      params: [
        {
          name: 'value',
          type: 'any',
          luaType: 'integer|string',
          doc: 'The number; as decimal digits in a string where Lua has no integer for it.',
        },
      ],
      returns: [{ luaType: 'kv.U64', doc: 'For values.' }],
      example: 'kv.set({ "hits", "all" }, kv.u64(0))',
    },
    (value) => new Tagged(valueTags.u64, { value: String(readU64(value)) }),
  )
}

function bigintFunction(): FunctionDefinition {
  return pure(
    {
      name: 'bigint',
      doc: [
        `Makes an integer of any size, up to ${kvLimits.bigintDigitsMax} digits, for keys and values. Lua's own`,
        'integers need it only where the type matters: those beyond 2^53 are stored as such anyway. Comes back as an',
        'integer while that fits in Lua, and as such a table otherwise; `tostring` gives its digits. In keys it sorts',
        'behind all numbers. Raises for what is no integer.',
      ].join('\n'),
      params: [
        { name: 'value', type: 'any', luaType: 'integer|string', doc: 'The number, or its decimal digits.' },
      ],
      returns: [{ luaType: 'kv.Bigint', doc: 'For keys and values.' }],
      example: 'kv.set({ "factorial", 30 }, kv.bigint("265252859812191058636308480000000"))',
    },
    (value) => {
      const integer = readDecimal(value, 'the value')
      checkDigits(integer)
      return new Tagged(valueTags.bigint, { value: String(integer) })
    },
  )
}

function nowFunction(): FunctionDefinition {
  return pure(
    {
      name: 'now',
      doc: [
        'Stands for the time at which the store writes, wherever it stands in a value, and for the time of the call in',
        '`where`: milliseconds since 1970. `:add(ms)` and `:sub(ms)` give later and earlier times. Raises when the',
        'offset is no whole number of milliseconds.',
      ].join('\n'),
      params: [
        {
          name: 'offset_ms',
          type: 'any',
          optional: true,
          luaType: 'integer?',
          doc: 'Milliseconds to add; 0 when missing.',
        },
      ],
      returns: [{ luaType: 'kv.Now', doc: 'For values and filters.' }],
      example: 'kv.set({ "jobs", id }, { created_at = kv.now(), due_at = kv.now():add(60000) })',
    },
    (offset = 0) => {
      if (typeof offset === 'number' && Number.isSafeInteger(offset)) {
        return new Tagged(valueTags.now, { offset_ms: offset })
      }
      throw new LuaRaise(`expected a whole number of milliseconds, got ${describe(offset)}`)
    },
  )
}
