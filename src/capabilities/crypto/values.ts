import { cryptoLimits } from '../../base/limits/crypto.js'
import { type LuaObject, LuaRaise, type LuaValue, Tagged } from '../../sandbox/lua-value.js'

/** How bytes are given to Lua. */
export const encodings = ['hex', 'base64', 'base64url', 'raw'] as const

export type Encoding = (typeof encodings)[number]

/** A raise that names the function. */
export function misuse(name: string, reason: string): LuaRaise {
  return new LuaRaise(`${name}: ${reason}`)
}

/** The bytes of a Lua string, whichever way it crossed. */
export function bytesOf(value: LuaValue): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return Buffer.from(typeof value === 'string' ? value : '', 'utf8')
}

/** Gives bytes to Lua in an encoding. */
export function encoded(bytes: Buffer, encoding: Encoding): LuaValue {
  return encoding === 'raw' ? bytes : bytes.toString(encoding)
}

/**
 * Reads an options table; nil is one without fields.
 *
 * @param known Names that it may have.
 * @throws LuaRaise for anything else.
 */
export function readFields(name: string, options: LuaValue, known: readonly string[]): LuaObject {
  if (options === undefined || (Array.isArray(options) && options.length === 0)) return Object.create(null)
  if (!isFields(options)) throw misuse(name, 'the options must be a table with named fields')
  for (const key in options) {
    if (!known.includes(key)) {
      throw misuse(name, `unknown option "${key.slice(0, 64)}"; known are ${known.join(', ')}`)
    }
  }
  return options
}

/** True for a table with named fields. */
export function isFields(value: LuaValue): value is LuaObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.getPrototypeOf(value) === null && !(value instanceof Tagged)
}

/** Reads the option `encoding`; hex when there is none. */
export function readEncoding(name: string, options: LuaValue): Encoding {
  const { encoding = 'hex' } = readFields(name, options, ['encoding'])
  const known = encodings.find((each) => each === encoding)
  if (known === undefined) throw misuse(name, `encoding must be one of ${encodings.join(', ')}`)
  return known
}

/** Reads an optional text. */
export function readText(name: string, field: string, value: LuaValue): string | undefined {
  if (value === undefined) return undefined
  const max = cryptoLimits.optionCharactersMax
  if (typeof value === 'string' && value !== '' && value.length <= max) return value
  throw misuse(name, `${field} must be UTF-8 text of 1 to ${max} characters`)
}

/** Reads an optional list of texts, or a single text in its place. */
export function readTexts(name: string, field: string, value: LuaValue): string[] | undefined {
  if (value === undefined) return undefined
  const list = Array.isArray(value) ? value : [value]
  if (list.length === 0 || list.length > cryptoLimits.listEntriesMax) {
    throw misuse(name, `${field} must have 1 to ${cryptoLimits.listEntriesMax} texts`)
  }
  return list.map((each) => {
    const text = readText(name, field, each)
    if (text === undefined) throw misuse(name, `${field} has an empty place`)
    return text
  })
}

/** Reads an optional number of seconds. */
export function readSeconds(name: string, field: string, value: LuaValue, max: number): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number' && value >= 0 && value <= max) return value
  throw misuse(name, `${field} must be a number of seconds from 0 to ${max}`)
}
