import { rateLimitLimits } from '../../base/limits/gateway.js'
import { windowInvalid } from './errors.js'

const grammar = /^(\d{1,9})([smhd]?)$/
const unitSeconds: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }

/**
 * Reads the window of a limit: digits and one of the units `s`, `m`, `h` and `d`; seconds without a unit.
 *
 * @returns Whole seconds, from 1 to `rateLimitLimits.windowSecondsMax`.
 * @throws `RATE_LIMIT_WINDOW_INVALID` for anything else, fractions, signs and spaces included.
 */
export function parseWindow(window: string): number {
  const [, digits = '', unit = ''] = grammar.exec(window) ?? []
  const seconds = Number(digits) * (unitSeconds[unit] ?? 0)
  if (digits === '' || seconds < 1 || seconds > rateLimitLimits.windowSecondsMax) {
    throw windowInvalid({ window, max: rateLimitLimits.windowSecondsMax })
  }
  return seconds
}
