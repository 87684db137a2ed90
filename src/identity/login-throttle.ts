import { createHash } from 'node:crypto'
import { accountLimits, loginLimits } from '../base/limits/identity.js'
import { RecentRecords } from './recent-records.js'
import { emailKey } from './user-fields.js'

/** How many tries to sign in somebody has. */
export interface LoginThrottleOptions {
  /** Failures of one network at one name before it has to pause. */
  readonly attempts: number
  /** Time in which the failures of a network are forgotten one by one; also the longest pause. Milliseconds. */
  readonly windowMs: number
  /** Failures of one network in a window, at all names together. */
  readonly perNetwork: number
  /** Milliseconds that never go back; `performance.now` when missing. */
  readonly clock?: () => number
  /** Names, networks and pairs remembered, each for itself; `loginLimits.keysMax` when missing. */
  readonly keysMax?: number
}

/** A try that was let through. It counts as a failure until one of these is called. */
export interface LoginAttempt {
  /** The password was right. */
  succeeded(): void
  /** Nobody looked at the password, e.g. because the database could not be asked. */
  cancelled(): void
}

/** Whether a try may be made. */
export type LoginAdmission =
  | { readonly kind: 'admitted'; readonly attempt: LoginAttempt }
  /** Whole seconds, at least 1. */
  | { readonly kind: 'wait'; readonly seconds: number }

/**
 * Slows down those who guess passwords, in bounded memory. A network that fails at one name too often pauses longer and
 * longer before it may try that name again; one that fails at many names pauses for all of them. A name that many
 * networks fail at gets fewer tries from each network that its owner has not signed in from, but always some: nobody
 * can lock somebody else out.
 *
 * Names that nobody has count as any other, and the spellings of one account count apart: both would tell a stranger
 * what accounts there are.
 */
export class LoginThrottle {
  readonly #options: LoginThrottleOptions
  readonly #clock: () => number
  readonly #pairs: RecentRecords<Pair>
  readonly #networks: RecentRecords<Level>
  readonly #names: RecentRecords<Level>

  constructor(options: LoginThrottleOptions) {
    const { clock = () => performance.now(), keysMax = loginLimits.keysMax } = options
    this.#options = options
    this.#clock = clock
    this.#pairs = new RecentRecords(keysMax)
    this.#networks = new RecentRecords(keysMax)
    this.#names = new RecentRecords(keysMax)
  }

  /**
   * Asks for a try, and counts it ahead of its outcome, so that nothing is gained by trying many at once.
   *
   * @param login What somebody calls themselves, as it was sent.
   * @param network What `clientNetwork` gave for the address of the client.
   */
  begin(login: string, network: string): LoginAdmission {
    const now = this.#clock()
    const { perNetwork, windowMs } = this.#options
    const nameKey = digest(emailKey(login.slice(0, accountLimits.emailCharactersMax + 1)))
    const pairKey = digest(`${nameKey} ${network}`)
    const tries = this.#networks.get(network) ?? new Level(perNetwork / windowMs)
    const strangers = this.#names.get(nameKey) ?? new Level(this.#nameMax / windowMs)
    const pair = this.#pairs.get(pairKey) ?? new Pair()
    const waitMs = Math.max(
      pair.waitMs(now, this.#freeTries(pair, strangers, now), windowMs),
      tries.waitMs(now, perNetwork),
    )
    if (waitMs > 0) return { kind: 'wait', seconds: Math.max(1, Math.ceil(waitMs / 1000)) }
    tries.add(1, now)
    strangers.add(1, now)
    pair.fail(now, windowMs)
    this.#networks.set(network, tries)
    this.#names.set(nameKey, strangers)
    this.#pairs.set(pairKey, pair)
    return { kind: 'admitted', attempt: this.#attempt(pair, tries, strangers) }
  }

  /** Names, networks and pairs remembered at the moment, all together. */
  get size(): number {
    return this.#pairs.size + this.#networks.size + this.#names.size
  }

  get #nameMax(): number {
    return this.#options.attempts * loginLimits.nameFactor
  }

  #freeTries(pair: Pair, strangers: Level, now: number): number {
    const { attempts } = this.#options
    if (pair.isTrusted || strangers.at(now) < this.#nameMax) return attempts
    return Math.min(attempts, loginLimits.wariedAttempts)
  }

  #attempt(pair: Pair, tries: Level, strangers: Level): LoginAttempt {
    let isOpen = true
    const once = (work: (now: number) => void) => () => {
      if (isOpen) work(this.#clock())
      isOpen = false
    }
    return {
      succeeded: once((now) => {
        pair.trust()
        strangers.empty(now)
        // Other failures of the network stay: its next guess may be at another name.
        tries.add(-1, now)
      }),
      cancelled: once((now) => {
        pair.forgive()
        strangers.add(-1, now)
        tries.add(-1, now)
      }),
    }
  }
}

/** The failures of one network at one name. */
class Pair {
  isTrusted = false
  #failures = 0
  #failedAt = 0

  /** Doubles with each failure after the free ones. */
  waitMs(now: number, free: number, longestMs: number): number {
    if (this.#failures < free) return 0
    const pauseMs = Math.min(longestMs, loginLimits.firstPauseMs * 2 ** Math.min(this.#failures - free, 30))
    return this.#failedAt + pauseMs - now
  }

  /** Failures are forgotten when two windows have passed without one: a pause is never longer than one window. */
  fail(now: number, windowMs: number): void {
    if (now - this.#failedAt >= 2 * windowMs) this.#failures = 0
    this.#failures += 1
    this.#failedAt = now
  }

  forgive(): void {
    this.#failures = Math.max(0, this.#failures - 1)
  }

  trust(): void {
    this.isTrusted = true
    this.#failures = 0
  }
}

/** A count that sinks to nothing as time passes. */
class Level {
  readonly #perMs: number
  #count = 0
  #countedAt = 0

  constructor(perMs: number) {
    this.#perMs = perMs
  }

  at(now: number): number {
    return Math.max(0, this.#count - (now - this.#countedAt) * this.#perMs)
  }

  add(count: number, now: number): void {
    this.#count = Math.max(0, this.at(now) + count)
    this.#countedAt = now
  }

  empty(now: number): void {
    this.#count = 0
    this.#countedAt = now
  }

  /** Time until there is room for one more. */
  waitMs(now: number, max: number): number {
    return (this.at(now) + 1 - max) / this.#perMs
  }
}

/** Bounds what a key takes, and keeps out of memory what people type into the wrong field. */
function digest(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('base64')
}
