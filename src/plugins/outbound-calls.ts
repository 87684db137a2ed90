import { outboundLimits } from '../base/limits/outbound.js'
import { createTokenBuckets, type TokenBuckets } from '../base/token-buckets.js'
import type { WireAnswer, WireRequest } from '../capabilities/request/wire.js'
import type { OutboundRequest, OutboundResult, OutboundSender } from '../outbound/outbound-sender.js'
import { refusePort, refuseScheme } from '../outbound/outbound-url.js'
import { RequestHeaders } from '../outbound/request-headers.js'
import type { HostAsk } from '../sandbox/generation.js'
import type { BreakerTicket, PluginBreaker } from './breaker.js'
import { DomainBreakers, type DomainBreakersOptions, type DomainBreakerView } from './outbound-breakers.js'

/** One request that was sent, for metrics. */
export interface OutboundObservation {
  readonly plugin: string
  readonly method: string
  readonly domain: string
  /** 0 when there was no response. */
  readonly status: number
  readonly durationMs: number
}

export interface OutboundCallsOptions {
  /** Who sends what has passed all checks. */
  readonly sender: OutboundSender
  /** Tells whether a generation of a plugin may send requests to a domain, in lower case. */
  readonly isApproved: (plugin: string, domain: string, generation: number) => boolean
  readonly breaker: Pick<DomainBreakersOptions, 'failuresMax' | 'resetMs'>
  /** Requests a minute of one plugin to one domain; 0 sets no limit. */
  readonly ratePerMinute: number
  /** Requests a minute of all plugins; 0 sets no limit. */
  readonly globalRatePerMinute: number
  readonly timeoutMs: number
  readonly requestBytesMax: number
  readonly allowLocal: boolean
  /** Sent as User-Agent where the plugin names none. */
  readonly userAgent: string
  /** Headers that continue the trace of the request that a plugin serves; none when missing. */
  readonly traceHeaders?: (requestId: string) => Readonly<Record<string, string>> | undefined
  /** Hears of each request that was sent, after its end. */
  readonly observe?: (observation: OutboundObservation) => void
  readonly log?: { warn(fields: Readonly<Record<string, unknown>>, message: string): void }
  /** Milliseconds that never go back; `performance.now` when missing. */
  readonly clock?: () => number
}

/**
 * Answers what plugins ask with `request.send`:
 *
 *   scheme ▶ port ▶ approval ▶ breaker ▶ rate of the domain ▶ global rate ▶ headers and body ▶ send ▶ size of response
 *
 * A request that is refused on the way costs the other server nothing, and says nothing of it: its breaker counts
 * only what was sent.
 */
export class OutboundCalls {
  readonly #options: OutboundCallsOptions
  readonly #breakers: DomainBreakers
  readonly #buckets: TokenBuckets
  readonly #globalBucket: TokenBuckets

  constructor(options: OutboundCallsOptions) {
    const { ratePerMinute, globalRatePerMinute, clock = () => performance.now() } = options
    this.#options = options
    this.#breakers = new DomainBreakers({
      ...options.breaker,
      onTrip: (plugin, domain, failures) =>
        options.log?.warn({ plugin, domain, failures }, 'circuit breaker of outbound requests opened'),
    })
    this.#buckets = createTokenBuckets({ ...rateOf(ratePerMinute, outboundLimits.burstMax), clock })
    this.#globalBucket = createTokenBuckets({
      ...rateOf(globalRatePerMinute, Number.MAX_SAFE_INTEGER),
      clock,
    })
  }

  /** Answers one question. What goes wrong is the `error` of the answer; rejects only as its sender does. */
  async answer(ask: HostAsk): Promise<WireAnswer> {
    const request = ask.payload as WireRequest
    const refusal = this.#refuse(ask, request)
    if (refusal !== undefined) return { error: refusal }
    const { plugin } = ask
    const { host } = request.target
    const breaker = this.#breakers.acquire(plugin, host)
    const ticket = breaker.tryEnter()
    try {
      if (ticket === 'refused') return { error: openText(host, breaker) }
      const prepared = this.#prepare(ask, request)
      if (typeof prepared !== 'string') return await this.#send(prepared, breaker, ticket)
      breaker.neutral(ticket)
      return { error: prepared }
    } finally {
      this.#breakers.release(plugin, host)
    }
  }

  /** Breakers that remember failures. */
  breakers(): readonly DomainBreakerView[] {
    return this.#breakers.list()
  }

  /** Lets a plugin ask a domain again; false when nothing kept it from that. */
  resetBreaker(plugin: string, domain: string): boolean {
    return this.#breakers.reset(plugin, domain.toLowerCase())
  }

  /** Stops the timers of the breakers. The sender is closed by whoever created it. */
  close(): void {
    this.#breakers.close()
  }

  /** What can be said before anything is counted. */
  #refuse({ plugin, generation }: HostAsk, { target }: WireRequest): string | undefined {
    const { allowLocal, isApproved } = this.#options
    const fault = refuseScheme(target, allowLocal) ?? refusePort(target, allowLocal)
    if (fault !== undefined) return fault
    if (isApproved(plugin, target.host, generation)) return undefined
    return `domain not approved: ${target.host.slice(0, outboundLimits.domainCharactersMax)}`
  }

  /** Takes the tokens and puts the request together; a text says why it is not sent. */
  #prepare({ plugin, requestId, timeLeftMs }: HostAsk, request: WireRequest): OutboundRequest | string {
    const { method, target, body, bodyBytes } = request
    const { ratePerMinute, globalRatePerMinute, requestBytesMax } = this.#options
    if (!this.#buckets.take(`${plugin} ${target.host}`)) {
      return `rate limit reached: ${ratePerMinute} requests a minute to ${target.host}`
    }
    if (!this.#globalBucket.take('')) {
      return `global rate limit reached: ${globalRatePerMinute} requests a minute of all plugins`
    }
    const composed = RequestHeaders.compose({
      given: pairs(request.headers),
      defaults: {
        'user-agent': this.#options.userAgent,
        ...(request.isJson ? { 'content-type': 'application/json' } : {}),
      },
      forced: {
        ...(requestId === '' ? {} : { 'x-request-id': requestId }),
        ...this.#options.traceHeaders?.(requestId),
      },
    })
    if (!composed.ok) return composed.reason
    if (bodyBytes > requestBytesMax) {
      return `request body too large: ${bodyBytes} bytes; the limit is ${requestBytesMax}`
    }
    const wantedMs = Math.min(this.#options.timeoutMs, request.timeoutMs ?? Number.POSITIVE_INFINITY)
    const timeoutMs = Math.min(wantedMs, timeLeftMs - outboundLimits.answerMarginMs)
    if (timeoutMs <= 0) return 'timed out before it was sent: the time of the call is used up'
    return { plugin, method, target, headers: composed.headers, body, timeoutMs }
  }

  async #send(request: OutboundRequest, breaker: PluginBreaker, ticket: BreakerTicket): Promise<WireAnswer> {
    const startedMs = performance.now()
    let result: OutboundResult | undefined
    try {
      result = await this.#options.sender.send(request)
    } finally {
      // A sender that breaks its word must not keep the one probe of a breaker for ever.
      if (result === undefined) breaker.neutral(ticket)
    }
    report(breaker, ticket, result)
    const { plugin, method, target } = request
    const status = result.ok ? result.response.status : 0
    // What was never sent is no request.
    if (result.ok || result.failure.kind !== 'busy') {
      const durationMs = performance.now() - startedMs
      this.#options.observe?.({ plugin, method, domain: target.host, status, durationMs })
    }
    if (!result.ok) return { error: result.failure.message }
    const { headers, body } = result.response
    return { status, headers: Object.entries(headers).flat(), body }
  }
}

/** Tokens a second, and how many can be saved up: those of a second, within bounds. */
function rateOf(perMinute: number, burstMax: number): { perSecond: number; burst: number } {
  const perSecond = perMinute / 60
  return { perSecond, burst: Math.min(Math.max(perSecond, 1), burstMax) }
}

function openText(host: string, breaker: PluginBreaker): string {
  return `circuit breaker open for ${host}: its requests failed in a row; the next may pass in ${breaker.retryAfterSeconds}s`
}

function pairs(flat: readonly string[]): (readonly [string, string])[] {
  return Array.from({ length: flat.length >> 1 }, (_, at) => [flat[at * 2] ?? '', flat[at * 2 + 1] ?? ''])
}

/** Tells the breaker what a request says of the other server. */
function report(breaker: PluginBreaker, ticket: BreakerTicket, result: OutboundResult): void {
  if (result.ok) {
    if (result.response.status >= 500) breaker.failure(ticket)
    else breaker.success(ticket)
  } else if (result.failure.kind === 'busy' || result.failure.kind === 'canceled') {
    breaker.neutral(ticket)
  } else {
    breaker.failure(ticket)
  }
}
