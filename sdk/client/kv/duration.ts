import { show, wrongOption } from './options.js'

/** Milliseconds, or a text such as `500ms`, `30s`, `1m30s`, `2h`, `1d`, `1w` or `1y` (365 days). */
export type KvDuration = number | string

const unitMs = {
  y: 31_536_000_000,
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
} as const
const units = Object.keys(unitMs) as (keyof typeof unitMs)[]

/** Nine digits keep every sum an exact integer in milliseconds. */
const parts = units.map((unit) => String.raw`(?:(\d{1,9}(?:\.\d{1,3})?)${unit})?`)
const pattern = new RegExp(String.raw`^(?=\d)${parts.join('')}$`)

/**
 * Reads a duration.
 *
 * @param name Of the option, for the message.
 * @returns A whole number of milliseconds; which ones an option takes is for the server to judge.
 * @throws ClientError `KV_OPTION_INVALID` for what is no duration.
 */
export function toMilliseconds(duration: KvDuration, name: string): number {
  if (Number.isSafeInteger(duration)) return duration as number
  const found = typeof duration === 'string' ? pattern.exec(duration) : null
  if (found === null) {
    throw wrongOption(
      `the duration "${name}" is ${show(duration)}; give a whole number of milliseconds, or numbers with the units y, w, d, h, m, s and ms in this order, e.g. "30s" or "1m30s"`,
    )
  }
  return Math.round(units.reduce((sum, unit, at) => sum + Number(found[at + 1] ?? 0) * unitMs[unit], 0))
}

/** As `toMilliseconds`, where the option may be missing. */
export function optionalMilliseconds(duration: KvDuration | undefined, name: string): number | undefined {
  return duration === undefined ? undefined : toMilliseconds(duration, name)
}
