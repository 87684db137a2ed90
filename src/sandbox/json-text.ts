import { vmLimits } from '../base/limits/sandbox.js'
import { Crossing, TooLarge } from './crossing.js'
import { type LuaObject, LuaRaise, type LuaValue } from './lua-value.js'

/** Characters that need an escape: JSON's own, and those that end a script or an attribute in a page. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes control characters.
const needsEscape = /["\\\u0000-\u001f<>&\u2028\u2029\ud800-\udfff]/

const pageCharacters = /[<>&\u2028\u2029]/g

/** Text is escaped in steps of so many characters: the engine keeps a list of all hits of one step. */
const stepCharacters = 16 * 1024

/**
 * Writes a JSON string; `< > &` are escaped, so that the text can stand in a page.
 *
 * @param charactersMax Escapes make a text up to six times as long; beyond this it is given up.
 * @throws TooLarge beyond `charactersMax`.
 */
export function quoteJson(text: string, charactersMax: number = vmLimits.marshalBytesMax): string {
  if (!needsEscape.test(text)) return `"${text}"`
  if (text.length <= stepCharacters) return `"${escapeStep(text)}"`
  let escaped = ''
  for (let at = 0; at < text.length; ) {
    const end = stepEnd(text, at)
    escaped += escapeStep(text.slice(at, end))
    if (escaped.length > charactersMax) {
      throw new TooLarge(`JSON text too large: more than ${charactersMax} characters`)
    }
    at = end
  }
  return `"${escaped}"`
}

/** Ends a step so that no surrogate pair is cut. */
function stepEnd(text: string, at: number): number {
  const end = at + stepCharacters
  const unit = text.charCodeAt(end - 1)
  return unit >= 0xd800 && unit < 0xdc00 ? end + 1 : end
}

function escapeStep(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(pageCharacters, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Writes a JSON number with all its digits; undefined for what JSON has no number for. */
export function numberJson(value: number | bigint): string | undefined {
  if (typeof value === 'bigint') return value.toString()
  return Number.isFinite(value) ? String(value) : undefined
}

/**
 * Writes a value that has crossed from Lua as JSON text with sorted keys; undefined is `null`.
 *
 * @throws LuaRaise for NaN, infinities, bytes that are not UTF-8, what is no plain value, and a text larger than
 * what may cross.
 */
export function jsonText(value: LuaValue, bytesMax?: number): string {
  return writeJson(value, 0, new Crossing(bytesMax))
}

function writeJson(value: LuaValue, depth: number, crossing: Crossing): string {
  crossing.enter(depth)
  if (value === undefined || value === null) return 'null'
  if (typeof value === 'string') return stringText(value, crossing)
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number' || typeof value === 'bigint') return numberText(value)
  if (Array.isArray(value)) return `[${value.map((item) => writeJson(item, depth + 1, crossing)).join(',')}]`
  if (value instanceof Uint8Array) throw new LuaRaise('a string is not valid UTF-8')
  if (Object.getPrototypeOf(value) !== null) throw new LuaRaise('a value made by the host cannot be encoded')
  const members = value as LuaObject
  const texts = Object.keys(members)
    .sort()
    .map((key) => `${stringText(key, crossing)}:${writeJson(members[key], depth + 1, crossing)}`)
  return `{${texts.join(',')}}`
}

function stringText(text: string, crossing: Crossing): string {
  const quoted = quoteJson(text)
  crossing.countBytes(quoted.length)
  return quoted
}

function numberText(value: number | bigint): string {
  const text = numberJson(value)
  if (text === undefined) throw new LuaRaise(`${value} cannot be encoded`)
  return text
}
