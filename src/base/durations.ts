import { defineError } from './errors.js'

/** Raised for a text that is no duration; `{text}` is the text. */
export const durationInvalid = defineError(
  'DURATION_INVALID',
  400,
  'The duration "{text}" cannot be read; write numbers with the units d, h, m, s and ms in this order, e.g. "30d", "60s", "500ms" or "1m30s", or plain seconds.',
)

const unitMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const

/** Nine digits keep every sum an exact integer in milliseconds. */
const number = String.raw`(\d{1,9}(?:\.\d{1,3})?)`
const seconds = new RegExp(`^${number}$`)
const withUnits = new RegExp(
  `^(?=\\d)(?:${number}d)?(?:${number}h)?(?:${number}m)?(?:${number}s)?(?:${number}ms)?$`,
)

/**
 * Reads a duration such as `30d`, `60s`, `500ms`, `1m30s` or `90` (seconds).
 *
 * @returns Milliseconds, rounded to a whole number.
 * @throws `DURATION_INVALID` when the text is anything else; a negative duration is.
 */
export function parseDuration(text: string): number {
  const trimmed = text.trim()
  const plain = seconds.exec(trimmed)
  if (plain) return Math.round(Number(plain[1]) * unitMs.s)
  const parts = withUnits.exec(trimmed)
  if (!parts) throw durationInvalid({ text })
  const [, d = '0', h = '0', m = '0', s = '0', ms = '0'] = parts
  return Math.round(
    Number(d) * unitMs.d +
      Number(h) * unitMs.h +
      Number(m) * unitMs.m +
      Number(s) * unitMs.s +
      Number(ms) * unitMs.ms,
  )
}
