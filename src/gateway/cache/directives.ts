import { cacheLimits } from '../../base/limits/gateway.js'

/** What `Cache-Control` and its relatives say, by names in lower case; a directive without a value has an empty one. */
export type Directives = ReadonlyMap<string, string>

const none: ReadonlyMap<string, string> = new Map()
const noStore: ReadonlyMap<string, string> = new Map([['no-store', '']])
const directive = /([^\s,;="]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/g

/**
 * Reads `Cache-Control`, `Surrogate-Control` or `Pragma`. Of a directive that is said twice with two values, the value
 * is one that cannot be read. A text longer than `cacheLimits.directivesLengthMax` counts as `no-store`.
 */
export function readDirectives(text: string | undefined): Directives {
  if (text === undefined) return none
  // What most answers say that must not be kept.
  if (text === 'no-store') return noStore
  if (text.length > cacheLimits.directivesLengthMax) return noStore
  const directives = new Map<string, string>()
  for (const [, name = '', quoted, plain = ''] of text.matchAll(directive)) {
    const key = name.toLowerCase()
    const value = quoted ?? plain
    directives.set(key, directives.has(key) && directives.get(key) !== value ? 'twice' : value)
  }
  return directives
}

/**
 * Reads a number of seconds. What cannot be read is 0, which never makes anything live longer.
 *
 * @returns Undefined when the directive is absent.
 */
export function secondsOf(directives: Directives, name: string): number | undefined {
  const text = directives.get(name)
  if (text === undefined) return undefined
  return readSeconds(text)
}

/** Reads a number of seconds; 0 when it is none, and never more than `cacheLimits.lifetimeSecondsMax`. */
export function readSeconds(text: string): number {
  // A surrogate may be told how long to serve stale answers: "30+60". We serve none.
  const digits = /^(\d+)(?:\+\d+)?$/.exec(text.trim())?.[1]
  return digits === undefined ? 0 : Math.min(Number(digits), cacheLimits.lifetimeSecondsMax)
}
