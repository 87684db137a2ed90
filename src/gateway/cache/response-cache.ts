import { cacheLimits } from '../../base/limits/gateway.js'
import type { Exchange } from '../exchange.js'
import { ExchangeNote } from '../exchange-note.js'
import type { OutgoingAnswer } from '../outgoing-answer.js'
import { type Stage, type StageVerdict, stagePriorities } from '../stage.js'
import { BodyRecorder, RecordingBudget } from './body-recorder.js'
import { answerFrom } from './cache-answer.js'
import { type KeptHead, keepHead, makeEntry } from './cache-entry.js'
import { type CacheRequest, isPersonal, keyedHeaders, primaryOf, readCacheRequest } from './cache-request.js'
import { Crowd, type Member } from './crowd.js'
import { cacheMethodInvalid, varyByInvalid } from './errors.js'
import { type Flight, Flights } from './flights.js'
import { ageSeconds, lifetimeSeconds } from './freshness.js'
import { type Invalidation, ResponseStore } from './response-store.js'

export interface ResponseCacheOptions {
  /** False leaves only what strips the headers that are meant for the cache. */
  readonly enabled: boolean
  /** For answers that say nothing of caching; 60 when missing. */
  readonly ttlSeconds?: number
  /** `GET` and `HEAD`; `GET` alone when missing. HEAD is answered from GET in any case; without GET, nothing is kept. */
  readonly methods?: readonly string[]
  /** 1000 when missing. */
  readonly maxEntries?: number
  /** Bytes of all answers; `cacheLimits.bytesDefault` when missing. */
  readonly maxBytes?: number
  /** Paths that the cache leaves alone; none when missing. */
  readonly isExcluded?: (path: string) => boolean
  /**
   * Whether somebody behind the cache has to see a request first, e.g. a stage that guards. It goes past the cache then;
   * none does when missing.
   */
  readonly isGuarded?: (exchange: Exchange) => boolean
  /** Names of request headers that every answer depends on, whatever it says. */
  readonly varyBy?: readonly string[]
  /** How long requests wait for the first one of their key; `cacheLimits.waitMs` when missing. */
  readonly waitMs?: number
  /**
   * What answers come from, such as the rules of the proxy: each gives the same value as long as nothing has changed.
   * When one gives another, nothing is served that was kept before. None when missing.
   */
  readonly origins?: readonly (() => unknown)[]
  /** Milliseconds that never go back; `performance.now` when missing. */
  readonly now?: () => number
}

/** What the cache did since the start, and what it holds. */
export interface ResponseCacheStats {
  readonly enabled: boolean
  readonly entries: number
  readonly bytes: number
  readonly hits: number
  readonly misses: number
  /** Answers that were put in. */
  readonly stores: number
  /** Answers that had to go for others. */
  readonly evictions: number
  /** Answers that were taken out by demand, or as their URL was written to. */
  readonly invalidations: number
  /** Requests that waited for another one. */
  readonly waits: number
}

/** A request that was not answered from the cache, on its way. */
interface Miss extends Member {
  readonly request: CacheRequest
  readonly askedMs: number
  /** Headers that stages in front had given to the answer before. */
  readonly own: Readonly<Record<string, unknown>>
  readonly isStorable: boolean
  flight: Flight | undefined
  /** Set when its answer may be out of date before it is there, or nobody is left to receive it. */
  isDoomed: boolean
}

/** Methods that leave everything as it is. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY'])

/** Answers of the host and of servers behind it, kept for others who ask the same. */
export class ResponseCache {
  /** To be mounted also when the cache is off. */
  readonly stages: readonly Stage[]
  readonly #options: ResponseCacheOptions
  readonly #isEnabled: boolean
  readonly #keyed: readonly string[]
  readonly #now: () => number
  readonly #store: ResponseStore
  readonly #flights: Flights
  readonly #budget = new RecordingBudget()
  readonly #misses = new Crowd<Miss>()
  readonly #missOf = new ExchangeNote<Miss>()
  /** What requests that write are about. */
  readonly #writes = new ExchangeNote<string>()
  /** What the origins gave when they were last asked. */
  #seen: readonly unknown[] = []
  readonly #counts = { hits: 0, misses: 0, stores: 0, invalidations: 0, waits: 0 }

  constructor(options: ResponseCacheOptions) {
    checkOptions(options)
    this.#options = options
    this.#isEnabled = options.enabled
    this.#keyed = keyedHeaders(options.varyBy ?? [])
    this.#now = options.now ?? (() => performance.now())
    this.#store = new ResponseStore(options.maxEntries ?? 1000, options.maxBytes ?? cacheLimits.bytesDefault)
    this.#flights = new Flights(options.waitMs)
    this.stages = options.enabled ? [this.#front(), this.#back()] : [stripping()]
  }

  stats(): ResponseCacheStats {
    const { entries, bytes, evictions } = this.#store
    return { enabled: this.#isEnabled, entries, bytes, ...this.#counts, evictions }
  }

  /**
   * Takes answers out. Answers to requests that are on their way and may be meant as well will not come in.
   *
   * @returns How many were there.
   */
  invalidate(invalidation: Invalidation): number {
    for (const miss of this.#misses.all()) miss.isDoomed = true
    const count = this.#store.invalidate(invalidation)
    this.#counts.invalidations += count
    return count
  }

  /** Forgets what came from origins that have changed since. */
  #renew(): void {
    const origins = this.#options.origins ?? []
    if (origins.every((origin, at) => origin() === this.#seen[at])) return
    this.#seen = origins.map((origin) => origin())
    this.invalidate({})
  }

  /** Looks requests up; sees answers last. */
  #front(): Stage {
    return {
      ...stripping(),
      // Who may not have an answer gets none that is kept, either.
      after: ['shell', 'cors', 'rate-limit', 'authz'],
      describe: () => ({ ...this.stats() }),
      onRequest: (exchange) => this.#enter(exchange),
      onFinish: (exchange) => this.#leave(exchange),
    }
  }

  /**
   * Sees answers first: what other stages do to an answer is not kept, as they do it to what comes from the cache
   * again.
   */
  #back(): Stage {
    return {
      name: 'cache-store',
      priority: Number.MAX_SAFE_INTEGER,
      onAnswer: (exchange, answer) => {
        const miss = this.#missOf.of(exchange)
        if (miss !== undefined) this.#answered(exchange, answer, miss)
        else this.#written(exchange, answer)
        strip(answer)
      },
    }
  }

  #enter(exchange: Exchange): StageVerdict | Promise<StageVerdict> {
    const { method } = exchange
    if (!safeMethods.has(method)) this.#writes.set(exchange, primaryOf(exchange))
    if ((method !== 'GET' && method !== 'HEAD') || !this.#handles(exchange)) return undefined
    this.#renew()
    const request = readCacheRequest(exchange, this.#keyed)
    if (request === undefined) return undefined
    if (request.isReload) return this.#miss(exchange, request, undefined)
    const known = this.#lookUp(exchange, request)
    if (known !== undefined) return known
    if (method === 'HEAD') return this.#miss(exchange, request, undefined)
    const { reply } = exchange
    const wait = this.#flights.wait(request.flightKey, (stop) => reply.raw.once('close', stop))
    if (wait !== undefined) return this.#afterWait(exchange, request, wait)
    const flight = request.isConditional ? undefined : this.#flights.begin(request.flightKey, this.#now())
    return this.#miss(exchange, request, flight)
  }

  #handles(exchange: Exchange): boolean {
    const { methods = ['GET'], isExcluded, isGuarded } = this.#options
    if (!methods.includes('GET') || isExcluded?.(exchange.path) === true) return false
    return isGuarded?.(exchange) !== true
  }

  #lookUp(exchange: Exchange, request: CacheRequest): StageVerdict {
    const nowMs = this.#now()
    const entry = this.#store.find(request, nowMs)
    if (entry === undefined) return undefined
    this.#counts.hits += 1
    return answerFrom(entry, request, exchange, nowMs)
  }

  async #afterWait(exchange: Exchange, request: CacheRequest, wait: Promise<boolean>): Promise<StageVerdict> {
    this.#counts.waits += 1
    // Nobody is left who could be answered.
    if (!(await wait)) return 'handled'
    return this.#lookUp(exchange, request) ?? this.#miss(exchange, request, undefined)
  }

  #miss(exchange: Exchange, request: CacheRequest, flight: Flight | undefined): undefined {
    this.#counts.misses += 1
    const own = exchange.reply.getHeaders()
    const isStorable = exchange.method === 'GET'
    const miss: Miss = {
      request,
      askedMs: this.#now(),
      own,
      isStorable,
      flight,
      isDoomed: false,
      place: -1,
    }
    this.#misses.add(miss)
    this.#missOf.set(exchange, miss)
    return undefined
  }

  #leave(exchange: Exchange): void {
    const miss = this.#missOf.of(exchange)
    if (miss === undefined) return
    this.#misses.remove(miss)
    miss.isDoomed = true
    miss.flight?.end()
  }

  #answered(exchange: Exchange, answer: OutgoingAnswer, miss: Miss): void {
    answer.setHeader('x-cache', 'MISS')
    if (!miss.isStorable) return
    const kept = this.#keep(exchange, answer, miss)
    const isExpected = kept !== undefined && this.#collect(answer, kept, miss)
    // Of an answer to a condition, nothing is learnt about those without.
    if (isExpected || !miss.request.isConditional) {
      this.#flights.learn(miss.request.flightKey, isExpected, this.#now())
    }
    if (!isExpected) miss.flight?.end()
  }

  #keep(exchange: Exchange, answer: OutgoingAnswer, { request, askedMs, own }: Miss): KeptHead | undefined {
    // A stage behind has found out who sends this.
    if (isPersonal(exchange.request.raw.headers)) return undefined
    const seconds = lifetimeSeconds(answer, this.#options.ttlSeconds ?? 60, Date.now())
    return seconds <= ageSeconds(answer)
      ? undefined
      : keepHead(request, answer, this.#keyed, textsOf(own), { askedMs, lifetimeSeconds: seconds })
  }

  /** @returns False when the body is not going to be kept. */
  #collect(answer: OutgoingAnswer, kept: KeptHead, miss: Miss): boolean {
    const { body } = answer
    if (body !== undefined) {
      if (Buffer.byteLength(body) > cacheLimits.bodyBytesMax) return false
      return this.#put(kept, typeof body === 'string' ? Buffer.from(body) : Buffer.from(body), miss)
    }
    const told = answer.header('content-length')
    const expected = told === undefined ? undefined : Number(told)
    const sizeMax = expected ?? cacheLimits.bodyBytesMax
    if (!(sizeMax <= cacheLimits.bodyBytesMax) || !this.#budget.take(sizeMax)) return false
    const recorder = new BodyRecorder(
      sizeMax,
      expected,
      (bytes) => this.#put(kept, bytes, miss),
      () => miss.flight?.end(),
    )
    recorder.once('close', () => this.#budget.give(sizeMax))
    if (answer.passThrough(recorder)) return true
    recorder.destroy()
    return false
  }

  #put(kept: KeptHead, body: Uint8Array, miss: Miss): boolean {
    this.#renew()
    const isKept = !miss.isDoomed && this.#store.add(makeEntry(kept, body), kept.request)
    if (isKept) this.#counts.stores += 1
    miss.flight?.end()
    return isKept
  }

  /** What was written to is not served any more as it was before. */
  #written(exchange: Exchange, answer: OutgoingAnswer): void {
    const primary = this.#writes.of(exchange)
    if (primary === undefined || answer.status < 200 || answer.status >= 400) return
    for (const miss of this.#misses.all()) if (miss.request.primary === primary) miss.isDoomed = true
    this.#counts.invalidations += this.#store.removeAll(primary)
  }
}

function textsOf(headers: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

/** Takes out what is meant for the cache, whether there is one or not. */
function stripping(): Stage {
  return {
    name: 'cache',
    priority: stagePriorities.gateway,
    describe: () => ({ enabled: false }),
    onAnswer: (_exchange, answer) => strip(answer),
  }
}

function strip(answer: OutgoingAnswer): void {
  answer.removeHeader('surrogate-control')
  answer.removeHeader('cache-tag')
}

function checkOptions({ methods = [], varyBy = [] }: ResponseCacheOptions): void {
  for (const method of methods) {
    if (method !== 'GET' && method !== 'HEAD') throw cacheMethodInvalid({ method })
  }
  for (const name of varyBy) if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw varyByInvalid({ name })
}
