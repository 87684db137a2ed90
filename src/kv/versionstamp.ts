import { kvLimits } from '../base/limits/kv.js'
import { kvOptionInvalid } from './errors.js'

const digits = 20

/** Writes a versionstamp as texts that sort like the numbers. */
export function showVersionstamp(versionstamp: number): string {
  return versionstamp.toString(16).padStart(digits, '0')
}

/**
 * Reads a versionstamp that `showVersionstamp` wrote.
 *
 * @throws `KV_OPTION_INVALID` for any other text.
 */
export function parseVersionstamp(text: unknown): number {
  if (typeof text === 'string' && /^0{6}[0-9a-f]{14}$/.test(text)) {
    const versionstamp = Number.parseInt(text, 16)
    if (Number.isSafeInteger(versionstamp)) return versionstamp
  }
  // A table of Lua comes as an object that cannot be made a text.
  const shown = typeof text === 'object' ? 'an object' : String(text).slice(0, kvLimits.shownCharacters)
  throw kvOptionInvalid({
    problem: `"${shown}" is not a versionstamp: 20 hexadecimal digits, as entries and commits have them.`,
  })
}
