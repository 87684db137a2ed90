import { isIP } from 'node:net'
import { parseDuration } from '../base/durations.js'

/** What a value has to be beyond its JSON type, as words for people and as a test. */
export interface Rule {
  /** Follow "must be". */
  readonly words: string
  holds(value: unknown): boolean
}

/** Takes durations such as `1m30s` between two bounds in milliseconds. */
export function durationRule(minMs: number, maxMs: number, bounds: string): Rule {
  return {
    words: `a duration ${bounds}`,
    holds: (value) => {
      try {
        const durationMs = parseDuration(String(value))
        return durationMs >= minMs && durationMs <= maxMs
      } catch {
        return false
      }
    },
  }
}

/** Takes texts that a regular expression matches. */
export function textRule(words: string, pattern: RegExp): Rule {
  return { words, holds: (value) => typeof value === 'string' && pattern.test(value) }
}

/** Takes texts of which a regular expression can be made. */
export const regularExpressionRule: Rule = {
  words: 'a regular expression of JavaScript, e.g. "/api/public/.*"',
  holds: (value) => {
    try {
      new RegExp(String(value))
      return true
    } catch {
      return false
    }
  },
}

/** Tells whether a value is an IP address or a CIDR range. */
export function isAddressRange(value: unknown): boolean {
  const parts = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(String(value))
  const version = isIP(parts?.[1] ?? '')
  if (version === 0) return false
  return Number(parts?.[2] ?? 0) <= (version === 4 ? 32 : 128)
}
