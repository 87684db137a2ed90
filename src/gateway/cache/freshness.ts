import { type Directives, readDirectives, readSeconds, secondsOf } from './directives.js'

/** The head of an answer, as far as the rules of caching look at it. */
export interface AnswerHead {
  readonly status: number
  /** A header by its name in lower case. */
  header(name: string): string | undefined
}

/** Answers that may be kept when they say for how long; the flag tells those that may be kept without. */
const keptStatuses: ReadonlyMap<number, boolean> = new Map([
  [200, true],
  [203, true],
  [204, true],
  [301, false],
  [308, false],
  [404, false],
  [410, false],
])

/**
 * Tells for how many seconds from its making an answer may be served; 0 when it must not be kept. What it says to
 * caches in front of servers counts first, then what it says to shared ones, then to all.
 *
 * @param ttlSeconds For answers that say nothing at all.
 * @param epochMs The time of day, for answers with `Expires` and without `Date`.
 */
export function lifetimeSeconds(head: AnswerHead, ttlSeconds: number, epochMs: number): number {
  const isKeptUnasked = keptStatuses.get(head.status)
  if (isKeptUnasked === undefined) return 0
  const surrogate = head.header('surrogate-control')
  if (surrogate !== undefined) return surrogateSeconds(readDirectives(surrogate))
  const control = head.header('cache-control')
  const directives = readDirectives(control)
  if (isForbidden(directives)) return 0
  const expires = head.header('expires')
  const told = secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age')
  if (told !== undefined) return told
  if (expires !== undefined) return expirySeconds(expires, head.header('date'), epochMs)
  const isSilent = control === undefined && head.header('pragma') === undefined
  return isSilent && isKeptUnasked ? ttlSeconds : 0
}

/** Tells how many seconds an answer was on its way through caches before it came here. */
export function ageSeconds(head: AnswerHead): number {
  const age = head.header('age')
  return age === undefined ? 0 : readSeconds(age)
}

function surrogateSeconds(directives: Directives): number {
  return isForbidden(directives) ? 0 : (secondsOf(directives, 'max-age') ?? 0)
}

/** With the names of headers, `private` and `no-cache` speak of these only; we do not keep such answers either. */
function isForbidden(directives: Directives): boolean {
  return directives.has('no-store') || directives.has('private') || directives.has('no-cache')
}

function expirySeconds(expires: string, date: string | undefined, epochMs: number): number {
  const end = Date.parse(expires)
  const start = date === undefined ? epochMs : Date.parse(date)
  const seconds = Math.floor((end - start) / 1000)
  // Of a date that cannot be read, nothing is greater than 0.
  return seconds > 0 ? readSeconds(String(seconds)) : 0
}
