import { EventEmitter } from 'node:events'
import CircuitBreaker from 'opossum'
import { breakerLimits } from '../base/limits/plugins.js'

/**
 * Whether a plugin is called:
 *
 *   closed ──(failures in a row, trip)──▶ open ──(resetMs)──▶ half-open ──(probe succeeds)──▶ closed
 *      ▲                                   ▲                     │
 *      └───────────(reset)─────────────────┴──(probe fails)──────┘
 */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** What one call may do: go through, go through as the one probe of a half-open breaker, or not at all. */
export type BreakerEntry = 'pass' | 'probe' | 'refused'

/** An entry that was let through; its call reports the outcome with it, exactly once. */
export type BreakerTicket = Exclude<BreakerEntry, 'refused'>

export interface PluginBreakerOptions {
  /** Failures in a row that open the breaker. */
  readonly failuresMax: number
  /** Time after which an open breaker lets a probe through. */
  readonly resetMs: number
  /** Is told each time the breaker opens, with the number of failures in a row, and whether a probe failed. */
  readonly onTrip?: (failures: number, again: boolean) => void
}

/**
 * The circuit breaker of one plugin. opossum keeps the states, their transitions and the timer; whether a call
 * may pass is answered from a field, because each request asks.
 */
export class PluginBreaker {
  readonly #circuit: CircuitBreaker
  readonly #failuresMax: number
  readonly #resetMs: number
  readonly #onTrip: PluginBreakerOptions['onTrip']
  #state: BreakerState = 'closed'
  #failures = 0
  #openUntilMs = 0
  #isClosed = false
  /** Counts the transitions, so that a probe that outlives its state is not taken for the current one. */
  #era = 0
  #probeEra: number | undefined

  constructor(options: PluginBreakerOptions) {
    this.#failuresMax = options.failuresMax
    this.#resetMs = Math.min(options.resetMs, breakerLimits.resetMsMax)
    this.#onTrip = options.onTrip
    // opossum's statistics have timers of their own, for which nobody listens here.
    this.#circuit = new CircuitBreaker(async () => undefined, {
      timeout: false,
      resetTimeout: this.#resetMs,
      rollingPercentilesEnabled: false,
      rollingCountBuckets: 1,
      enableSnapshots: false,
      rotateBucketController: new EventEmitter(),
    })
    this.#circuit.on('open', () => this.#enter('open'))
    this.#circuit.on('halfOpen', () => this.#enter('half-open'))
    this.#circuit.on('close', () => this.#enter('closed'))
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Failures in a row since the last success. */
  get failures(): number {
    return this.#failures
  }

  /** Whether `tryEnter` would refuse at this moment; takes no probe. */
  get refuses(): boolean {
    if (this.#isClosed || this.#state === 'open') return true
    return this.#state === 'half-open' && this.#probeEra !== undefined
  }

  /** Seconds, rounded up, until a probe may pass: at least 1 while calls are refused, else 0. */
  get retryAfterSeconds(): number {
    if (!this.refuses) return 0
    if (this.#state !== 'open') return 1
    return Math.max(1, Math.ceil((this.#openUntilMs - performance.now()) / 1000))
  }

  /** Asks to pass. A ticket must be given back with `success`, `failure` or `neutral`. */
  tryEnter(): BreakerEntry {
    if (this.#state === 'closed' && !this.#isClosed) return 'pass'
    if (this.refuses) return 'refused'
    this.#probeEra = this.#era
    return 'probe'
  }

  /** Reports that the plugin worked. */
  success(ticket: BreakerTicket): void {
    if (ticket === 'probe') {
      if (this.#returnProbe()) this.#circuit.close()
    } else if (this.#state === 'closed') {
      this.#failures = 0
    }
  }

  /** Reports that the plugin failed. Calls that passed before the breaker opened are not counted again. */
  failure(ticket: BreakerTicket): void {
    if (ticket === 'probe') {
      if (!this.#returnProbe()) return
      this.#failures += 1
      this.#circuit.open()
    } else if (this.#state === 'closed' && !this.#isClosed) {
      this.#failures += 1
      if (this.#failures >= this.#failuresMax) this.#circuit.open()
    }
  }

  /** Gives a ticket back after a call that says nothing of the plugin: the next call may probe. */
  neutral(ticket: BreakerTicket): void {
    if (ticket === 'probe') this.#returnProbe()
  }

  /** Opens the breaker at once; an open one stays as it is. */
  trip(): void {
    if (!this.#isClosed) this.#circuit.open()
  }

  /** Closes the breaker and forgets the failures. */
  reset(): void {
    if (this.#isClosed) return
    this.#failures = 0
    this.#circuit.close()
  }

  /** Stops the timer for good; all further calls are refused. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#circuit.shutdown()
  }

  /** Tells whether the probe that comes back still decides anything. */
  #returnProbe(): boolean {
    const isCurrent = this.#probeEra === this.#era && !this.#isClosed
    this.#probeEra = undefined
    return isCurrent
  }

  #enter(state: BreakerState): void {
    const again = this.#state === 'half-open'
    this.#state = state
    this.#era += 1
    if (state === 'closed') this.#failures = 0
    if (state !== 'open') return
    this.#openUntilMs = performance.now() + this.#resetMs
    this.#onTrip?.(this.#failures, again)
  }
}
