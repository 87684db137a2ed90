import { kvLimits } from '../base/limits/kv.js'
import { kvOptionInvalid } from './errors.js'
import { encodeKey, type KvKey } from './key.js'

/**
 * Refuses what is no object of options, and options that do not exist, as a misspelt one would change nothing.
 *
 * @param name What the options belong to, e.g. `set`.
 * @throws `KV_OPTION_INVALID`, which names the option.
 */
export function checkOptions(options: unknown, name: string, known: readonly string[]): void {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid(`The options of "${name}" are ${show(options)}; they are an object, or left out.`)
  }
  for (const key in options) {
    if (known.includes(key)) continue
    throw invalid(
      `"${name}" has no option ${show(key)}. ${known.length === 0 ? 'It has none.' : `It has: ${known.join(', ')}.`}`,
    )
  }
}

/**
 * Reads an option that is a whole number.
 *
 * @returns `missing` where the option is.
 * @throws `KV_OPTION_INVALID`, which names the option, its range and the value.
 */
export function readInteger<T>(
  value: unknown,
  name: string,
  { min, max }: { readonly min: number; readonly max: number },
  missing: T,
): number | T {
  if (value === undefined) return missing
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw invalid(`The option "${name}" is ${show(value)}; it must be an integer from ${min} to ${max}.`)
}

/** Reads an option that is true or false; errors as `readInteger`. */
export function readBoolean(value: unknown, name: string, missing: boolean): boolean {
  if (value === undefined) return missing
  if (typeof value === 'boolean') return value
  throw invalid(`The option "${name}" is ${show(value)}; it must be true or false.`)
}

/** Reads an option that is a text; errors as `readInteger`. */
export function readText<T>(value: unknown, name: string, missing: T): string | T {
  if (value === undefined) return missing
  if (typeof value === 'string') return value
  throw invalid(`The option "${name}" is ${show(value)}; it must be a text.`)
}

/**
 * Reads the option `expiresIn`.
 *
 * @returns Milliseconds since 1970; undefined when the option is missing.
 */
export function readExpiry(
  options: { readonly expiresIn?: number } | undefined,
  name: string,
  nowMs: number,
): number | undefined {
  if (options === undefined) return undefined
  checkOptions(options, name, expiryOptions)
  const expiresIn = readInteger(options.expiresIn, 'expiresIn', expiryRange, undefined)
  return expiresIn === undefined ? undefined : nowMs + expiresIn
}

const expiryOptions = ['expiresIn']
const expiryRange = { min: 1, max: kvLimits.expiryMsMax }

/** Encodes an array of keys that one call works on; errors also as `encodeKey`. */
export function readKeys(keys: unknown, name: string, max: number): Buffer[] {
  if (!Array.isArray(keys)) throw invalid(`"${name}" are ${show(keys)}; they are an array of keys.`)
  if (keys.length > max) throw invalid(`"${name}" has ${keys.length} keys, and ${max} are allowed.`)
  return keys.map((key: KvKey) => encodeKey(key))
}

/** Writes any value for the reader of a message, cut where it is long. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : describe(value)
  return text.length > kvLimits.shownCharacters ? `${text.slice(0, kvLimits.shownCharacters)}…` : text
}

function describe(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}

/** Makes the error of an option. */
export function invalid(problem: string): Error {
  return kvOptionInvalid({ problem })
}
