import type { Clock } from '../../base/clock.js'
import { messageOf } from '../../base/errors.js'
import { rateLimitLimits } from '../../base/limits/gateway.js'
import type { Exchange } from '../exchange.js'
import { ExchangeNote } from '../exchange-note.js'
import type { OutgoingAnswer } from '../outgoing-answer.js'
import { compilePaths } from '../path-pattern.js'
import { failureAnswer, type GatewayLog } from '../pipeline.js'
import { isBelow } from '../request-path.js'
import { type Stage, type StageVerdict, stagePriorities } from '../stage.js'
import { type BucketState, BucketStore, makeRate, type Taking } from './bucket-store.js'
import { createClientKey, type KeyFunction } from './client-key.js'
import { requestsLimited } from './errors.js'
import { compileRules, type Plan, type Planner, type RateLimitRule } from './rules.js'
import { parseWindow } from './window.js'

export interface RateLimitOptions {
  /** Requests that one client may send within the window, also at once. */
  readonly requests: number
  /** e.g. `30s`, `1m`, `1h`; see `parseWindow`. */
  readonly window: string
  /** How clients are told apart; see `createClientKey`. `ip` when missing. */
  readonly keyBy?: string
  /** Entries as `compilePath` reads them; requests to these paths are not counted. None when missing. */
  readonly excludePaths?: readonly string[]
  /** The first that means a request holds for it. None when missing. */
  readonly rules?: readonly RateLimitRule[]
  /** Clients remembered at once, by each rule with a rate of its own as well; `rateLimitLimits.bucketsDefault` when missing. */
  readonly bucketsMax?: number
  /** Finds the function of a strategy `lua:<name>`; undefined while there is none. */
  readonly keyFunction?: (name: string) => KeyFunction | undefined
  readonly log: Pick<GatewayLog, 'debug' | 'warn'>
  /** `performance.now` when missing. */
  readonly clock?: Clock
  /** Milliseconds since 1970; `Date.now` when missing. */
  readonly now?: () => number
}

/** How many requests the limit has seen since the start. */
export interface RateLimitMetrics {
  readonly totalRequests: number
  readonly allowedRequests: number
  readonly blockedRequests: number
  /** Buckets in memory; those that are full leave it bit by bit. */
  readonly activeBuckets: number
  readonly config: { readonly capacity: number; readonly windowSeconds: number }
}

/** One client that has sent requests lately. */
export interface BucketListing {
  /** That of the client; with the prefix `rule-<number>:` in buckets of a rule. */
  readonly key: string
  /** With fractions. */
  readonly tokens: number
  /** Seconds until there is a whole token; 0 when there is one. */
  readonly retryAfter: number
  /** Milliseconds since 1970. */
  readonly lastActivity: number
}

/** What buckets are sorted by: the fewest tokens first, or the latest activity first. */
export type BucketOrder = 'tokens' | 'lastActivity'

/** Below these paths admins are never refused, so that whoever locks themselves out can open again. */
const operatorAreas = ['/gateway/api', '/api/gateway', '/redirects/api', '/api/proxy', '/api/v1/admin']

/** The headers that a counted request is answered with. */
interface LimitHeaders {
  readonly limit: string
  readonly remaining: string
  readonly reset: string
}

/** The limit of requests per client. */
export class RateLimit {
  readonly stage: Stage
  readonly #options: RateLimitOptions
  readonly #base: Plan
  readonly #plans: readonly Plan[]
  readonly #planner: Planner
  readonly #isExcluded: (path: string) => boolean
  readonly #now: () => number
  readonly #headers = new ExchangeNote<LimitHeaders>()
  readonly #failuresLoggedAt = new Map<string, number>()
  readonly #clock: Clock
  #allowed = 0
  #blocked = 0

  /**
   * @throws `RATE_LIMIT_WINDOW_INVALID`, `RATE_LIMIT_INVALID`, `RATE_LIMIT_KEY_INVALID`, `RATE_LIMIT_RULE_INVALID` or
   *   `GATEWAY_PATH_PATTERN_INVALID` for options that cannot be used.
   */
  constructor(options: RateLimitOptions) {
    const { bucketsMax = rateLimitLimits.bucketsDefault, clock = () => performance.now() } = options
    this.#options = options
    this.#clock = clock
    this.#now = options.now ?? Date.now
    this.#isExcluded = compilePaths(options.excludePaths ?? [])
    const functions = {
      find: (name: string) => options.keyFunction?.(name),
      failed: (name: string, error: unknown) => this.#keyFailed(name, error),
    }
    const makeBuckets = (): BucketStore => new BucketStore(bucketsMax, clock)
    this.#base = {
      rate: makeRate(options.requests, parseWindow(options.window)),
      buckets: makeBuckets(),
      prefix: '',
      clientKey: createClientKey(options.keyBy ?? 'ip', functions),
      cost: 1,
    }
    const world = { base: this.#base, window: options.window, functions, makeBuckets }
    const { planner, plans } = compileRules(options.rules ?? [], world)
    this.#planner = planner
    this.#plans = plans
    this.stage = this.#createStage()
  }

  metrics(): RateLimitMetrics {
    for (const { buckets } of this.#plans) buckets.dropFull(rateLimitLimits.forgetBatchMax)
    return {
      totalRequests: this.#allowed + this.#blocked,
      allowedRequests: this.#allowed,
      blockedRequests: this.#blocked,
      activeBuckets: this.#plans.reduce((sum, { buckets }) => sum + buckets.size, 0),
      config: { ...this.#base.rate },
    }
  }

  /** The limit for everything. */
  config(): { readonly requests: number; readonly window: string; readonly keyBy: string } {
    const { requests, window, keyBy = 'ip' } = this.#options
    return { requests, window, keyBy }
  }

  /**
   * Lists clients whose buckets are not full.
   *
   * @param limit Buckets at most.
   */
  buckets({
    limit,
    sortBy,
  }: {
    readonly limit: number
    readonly sortBy: BucketOrder
  }): readonly BucketListing[] {
    const now = this.#now()
    const compare =
      sortBy === 'tokens'
        ? (a: BucketState, b: BucketState) => a.tokens - b.tokens
        : (a: BucketState, b: BucketState) => a.idleMs - b.idleMs
    return firstOf(this.#states(), limit, compare).map(({ key, tokens, retryAfter, idleMs }) => ({
      key,
      tokens,
      retryAfter,
      lastActivity: Math.round(now - idleMs),
    }))
  }

  /**
   * Lets a client have its full burst again; false when there is no bucket of it, which is as good as a full one.
   *
   * @param key As it is listed.
   */
  reset(key: string): boolean {
    const own = this.#plans.find(({ prefix }) => prefix !== '' && key.startsWith(prefix))
    const { buckets, prefix } = own ?? this.#base
    return buckets.reset(key.slice(prefix.length))
  }

  /** Lets all clients have their full bursts again, and tells how many there were. Counters stay as they are. */
  clear(): number {
    return this.#plans.reduce((sum, { buckets }) => sum + buckets.clear(), 0)
  }

  #createStage(): Stage {
    return {
      name: 'rate-limit',
      priority: stagePriorities.gateway,
      after: ['shell', 'cors'],
      describe: () => ({ ...this.config(), rules: this.#options.rules?.length ?? 0 }),
      onRequest: (exchange) => this.#admit(exchange),
      onAnswer: (exchange, answer) => this.#enforceHeaders(exchange, answer),
    }
  }

  #admit(exchange: Exchange): StageVerdict | Promise<StageVerdict> {
    if (this.#isExcluded(exchange.path) || isOperator(exchange)) return undefined
    const plan = this.#planner(exchange)
    const key = plan.clientKey(exchange)
    return typeof key === 'string'
      ? this.#take(exchange, plan, key)
      : key.then((text) => this.#take(exchange, plan, text))
  }

  #take(exchange: Exchange, { buckets, rate, cost, prefix }: Plan, key: string): StageVerdict {
    const taking = buckets.take(key, rate, cost)
    this.#announce(exchange, rate.capacity, taking)
    if (taking.isAllowed) {
      this.#allowed += 1
      return undefined
    }
    this.#blocked += 1
    exchange.isRateLimited = true
    this.#options.log.debug(
      { key: prefix + key, path: exchange.path },
      'a request is refused by the rate limit',
    )
    const answer = failureAnswer(requestsLimited())
    return { ...answer, headers: [...answer.headers, 'retry-after', String(taking.retryAfter)] }
  }

  /** Sets the headers at once, for answers that are not sent through the framework, e.g. streams of events. */
  #announce(exchange: Exchange, capacity: number, { remaining, fullInMs }: Taking): void {
    const headers = {
      limit: String(capacity),
      remaining: String(remaining),
      reset: String(Math.ceil(this.#now() + fullInMs)),
    }
    this.#headers.set(exchange, headers)
    exchange.reply
      .header('x-ratelimit-limit', headers.limit)
      .header('x-ratelimit-remaining', headers.remaining)
      .header('x-ratelimit-reset', headers.reset)
  }

  #enforceHeaders(exchange: Exchange, answer: OutgoingAnswer): void {
    const headers = this.#headers.of(exchange)
    if (headers === undefined) return
    enforce(answer, 'x-ratelimit-limit', headers.limit)
    enforce(answer, 'x-ratelimit-remaining', headers.remaining)
    enforce(answer, 'x-ratelimit-reset', headers.reset)
  }

  *#states(): Iterable<BucketState> {
    for (const { buckets, prefix } of this.#plans) {
      for (const state of buckets.list()) yield prefix === '' ? state : { ...state, key: prefix + state.key }
    }
  }

  #keyFailed(name: string, error: unknown): void {
    const now = this.#clock()
    const loggedAt = this.#failuresLoggedAt.get(name)
    if (loggedAt !== undefined && now - loggedAt < rateLimitLimits.keyFailureLogMs) return
    this.#failuresLoggedAt.set(name, now)
    this.#options.log.warn(
      { key_function: name, error: messageOf(error) },
      'a key function of the rate limit failed; its requests are counted by address',
    )
  }
}

function enforce(answer: OutgoingAnswer, name: string, value: string): void {
  if (answer.header(name) !== value) answer.setHeader(name, value)
}

function isOperator(exchange: Exchange): boolean {
  const { path } = exchange
  // Who it is costs a digest, so nobody is asked elsewhere.
  if (!operatorAreas.some((area) => isBelow(path, area))) return false
  return exchange.user?.role === 'admin'
}

/** The first items of a sorted list, without sorting more than twice as many at once. */
function firstOf<Item>(items: Iterable<Item>, count: number, compare: (a: Item, b: Item) => number): Item[] {
  let kept: Item[] = []
  for (const item of items) {
    kept.push(item)
    if (kept.length >= 2 * count + 1000) kept = kept.sort(compare).slice(0, count)
  }
  return kept.sort(compare).slice(0, count)
}
