import { refused } from './refusal.js'

/** Characters of a wrong value that a message shows. */
const shownCharacters = 100

/**
 * Refuses what is no object of options, and options that do not exist, as a misspelt one would change nothing.
 *
 * @param name What the options belong to, e.g. `set`.
 * @throws ClientError `KV_OPTION_INVALID`, which names the option.
 */
export function checkOptions(options: unknown, name: string, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw wrongOption(`the options of "${name}" are ${show(options)}; they are an object, or left out`)
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown !== undefined) {
    throw wrongOption(`"${name}" has no option ${show(unknown)}; it has ${known.join(', ')}`)
  }
}

/** Reads an option that is a whole number from `min`, or missing; errors as `checkOptions`. */
export function wholeNumber<T extends number | undefined>(value: T, name: string, min = 1): T {
  if (value === undefined || (Number.isSafeInteger(value) && value >= min)) return value
  throw wrongOption(`the option "${name}" is ${show(value)}; it must be a whole number from ${min}`)
}

/** Reads an option that is true or false, or missing; errors as `checkOptions`. */
export function trueOrFalse<T extends boolean | undefined>(value: T, name: string): T {
  if (value === undefined || typeof value === 'boolean') return value
  throw wrongOption(`the option "${name}" is ${show(value)}; it must be true or false`)
}

/** Reads an option that is a text, null or missing; errors as `checkOptions`. */
export function textOrNull<T extends string | null | undefined>(value: T, name: string): T {
  if (value === undefined || value === null || typeof value === 'string') return value
  throw wrongOption(`the option "${name}" is ${show(value)}; it must be a text`)
}

/** True for what the server gives as a versionstamp. */
export function isVersionstamp(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{20}$/.test(value)
}

/** Makes the error of an option. */
export function wrongOption(problem: string): Error {
  return refused('KV_OPTION_INVALID', problem)
}

/** Writes any value for the reader of a message, cut where it is long. */
export function show(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text
}
