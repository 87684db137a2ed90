import { vmLimits } from '../base/limits.js'
import { type LuaObject, LuaRaise, type LuaValue } from './lua-value.js'

/** Characters that need an escape: JSON's own, and those that end a script or an attribute in a page. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes control characters.
const needsEscape = /["\\\u0000-\u001f<>&\u2028\u2029\ud800-\udfff]/

const pageCharacters = /[<>&\u2028\u2029]/g

/** Writes a JSON string; `< > &` are escaped, so that the text can stand in a page. */
export function quoteJson(text: string): string {
  if (!needsEscape.test(text)) return `"${text}"`
  return JSON.stringify(text).replace(
    pageCharacters,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Writes a JSON number with all its digits; undefined for what JSON has no number for. */
export function numberJson(value: number | bigint): string | undefined {
  if (typeof value === 'bigint') return value.toString()
  return Number.isFinite(value) ? String(value) : undefined
}

/**
 * Writes a value that has crossed from Lua as JSON text with sorted keys; undefined is `null`.
 *
 * @throws LuaRaise for NaN, infinities, bytes that are not UTF-8, and what is no plain value.
 */
export function jsonText(value: LuaValue, depth = 0): string {
  if (depth > vmLimits.marshalDepthMax) {
    throw new LuaRaise(`nested too deep: more than ${vmLimits.marshalDepthMax} levels`)
  }
  if (value === undefined || value === null) return 'null'
  if (typeof value === 'string') return quoteJson(value)
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number' || typeof value === 'bigint') return numberText(value)
  if (Array.isArray(value)) return `[${value.map((item) => jsonText(item, depth + 1)).join(',')}]`
  if (value instanceof Uint8Array) throw new LuaRaise('a string is not valid UTF-8')
  if (Object.getPrototypeOf(value) !== null) throw new LuaRaise('a value made by the host cannot be encoded')
  const members = value as LuaObject
  const keys = Object.keys(members).sort()
  return `{${keys.map((key) => `${quoteJson(key)}:${jsonText(members[key], depth + 1)}`).join(',')}}`
}

function numberText(value: number | bigint): string {
  const text = numberJson(value)
  if (text === undefined) throw new LuaRaise(`${value} cannot be encoded`)
  return text
}
