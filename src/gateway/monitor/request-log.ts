import { randomInt } from 'node:crypto'
import { monitorLimits } from '../../base/limits/gateway.js'
import { routedPath } from '../request-path.js'
import { type Stage, stagePriorities } from '../stage.js'

/** One request that has ended. */
export interface LoggedRequest {
  /** `<timestamp>-<7 base36 digits>`; the same at every reading. */
  readonly id: string
  /** When it ended, in milliseconds since 1970. */
  readonly timestamp: number
  readonly ip: string
  readonly method: string
  /** As the client has sent it and the router reads it, without a query, up to `monitorLimits.pathLengthMax`. */
  readonly path: string
  /** 499 when the client went away before the head of an answer was sent. */
  readonly status: number
  /** Milliseconds, with fractions. */
  readonly duration: number
  /** True when a rate limit refused it. */
  readonly rateLimited: boolean
}

/** Which requests of the log are wanted; a missing member lets all pass. */
export interface RequestLogQuery {
  /** The newest so many of those that fit; all when it is 0 or missing. */
  readonly limit?: number | undefined
  /** A canonical address. */
  readonly ip?: string | undefined
  readonly rateLimited?: boolean | undefined
  /** The first digit of the status. */
  readonly statusRange?: number | undefined
  readonly status?: number | undefined
  /** A part of the path. */
  readonly path?: string | undefined
}

/** The requests of the log in numbers. */
export interface RequestLogStats {
  readonly total: number
  readonly rateLimited: number
  /** By class, e.g. `2xx`; classes without a request are missing. */
  readonly byStatus: Readonly<Record<string, number>>
  /** Milliseconds; 0 without a request. */
  readonly avgDuration: number
}

/** What is told to the log of a request. */
export interface EndedRequest {
  /** Path and query as they were sent. */
  readonly url: string
  readonly method: string
  readonly ip: string
  readonly status: number
  readonly durationMs: number
  readonly isRateLimited: boolean
}

/** Place of the log in which the next request overwrites this one. */
type Slot = { -readonly [Name in keyof EndedRequest]: EndedRequest[Name] } & {
  timestamp: number
  /** Counts the requests of the log from 0. */
  number: number
}

export interface RequestLogOptions {
  /** Requests that are kept; `monitorLimits.logSize` when missing, none when 0. */
  readonly size?: number
  /** Milliseconds since 1970; the clock of the system when missing. */
  readonly now?: () => number
}

const idDigits = 7
const idsMax = 36 ** idDigits

/**
 * The last requests, whoever answered them. What takes part in every request does as little as possible: ids and paths
 * are made when somebody reads.
 */
export class RequestLog {
  readonly #size: number
  readonly #now: () => number
  readonly #idStart = randomInt(2 ** 36)
  #slots: Slot[] = []
  #count = 0
  /** Place of the oldest request, once all places are taken. */
  #next = 0

  /** Tells the log of every request that comes to the pipeline. */
  readonly stage: Stage = {
    name: 'metrics',
    priority: stagePriorities.metrics,
    describe: () => ({ requests: this.#slots.length, size: this.#size }),
    onRequest: (exchange) => {
      // The socket of a client that has left no longer knows its address.
      void exchange.ip
      return undefined
    },
    onFinish: ({ sentUrl, method, ip, isRateLimited }, { status, durationMs }) =>
      this.add({ url: sentUrl, method, ip, status, durationMs, isRateLimited }),
  }

  constructor({ size = monitorLimits.logSize, now = Date.now }: RequestLogOptions = {}) {
    this.#size = size
    this.#now = now
  }

  /** Notes a request that has just ended. */
  add({ url, method, ip, status, durationMs, isRateLimited }: EndedRequest): void {
    if (this.#size === 0) return
    const timestamp = this.#now()
    const number = this.#count++
    const kept = url.length > monitorLimits.pathLengthMax ? copyOfPath(url) : url
    const slot = this.#slots[this.#next]
    if (slot === undefined) {
      this.#slots.push({ url: kept, method, ip, status, durationMs, isRateLimited, timestamp, number })
    } else {
      slot.url = kept
      slot.method = method
      slot.ip = ip
      slot.status = status
      slot.durationMs = durationMs
      slot.isRateLimited = isRateLimited
      slot.timestamp = timestamp
      slot.number = number
    }
    this.#next = (this.#next + 1) % this.#size
  }

  /** Gives the requests that fit, newest first. */
  query(wanted: RequestLogQuery = {}): readonly LoggedRequest[] {
    const { limit = 0 } = wanted
    const found: LoggedRequest[] = []
    for (const slot of this.#newestFirst()) {
      if (!fits(slot, wanted)) continue
      found.push(this.#show(slot))
      if (found.length === limit) break
    }
    return found
  }

  stats(): RequestLogStats {
    const total = this.#slots.length
    const byStatus: Record<string, number> = {}
    let rateLimited = 0
    let durationMs = 0
    for (const slot of this.#slots) {
      const name = `${classOf(slot.status)}xx`
      byStatus[name] = (byStatus[name] ?? 0) + 1
      durationMs += slot.durationMs
      if (slot.isRateLimited) rateLimited += 1
    }
    return { total, rateLimited, byStatus, avgDuration: total === 0 ? 0 : durationMs / total }
  }

  clear(): void {
    this.#slots = []
    this.#next = 0
  }

  *#newestFirst(): Iterable<Slot> {
    const { length } = this.#slots
    for (let back = 1; back <= length; back += 1) {
      const slot = this.#slots[(this.#next - back + length) % length]
      if (slot !== undefined) yield slot
    }
  }

  #show({ url, method, ip, status, durationMs, isRateLimited, timestamp, number }: Slot): LoggedRequest {
    const digits = ((this.#idStart + number) % idsMax).toString(36).padStart(idDigits, '0')
    return {
      id: `${timestamp}-${digits}`,
      timestamp,
      ip,
      method,
      path: routedPath(url),
      status,
      duration: durationMs,
      rateLimited: isRateLimited,
    }
  }
}

function fits(slot: Slot, { ip, rateLimited, statusRange, status, path }: RequestLogQuery): boolean {
  if (ip !== undefined && slot.ip !== ip) return false
  if (rateLimited !== undefined && slot.isRateLimited !== rateLimited) return false
  if (statusRange !== undefined && classOf(slot.status) !== statusRange) return false
  if (status !== undefined && slot.status !== status) return false
  return path === undefined || routedPath(slot.url).includes(path)
}

function classOf(status: number): number {
  return Math.floor(status / 100)
}

/** A part of a text keeps the whole text in memory; a copy does not. */
function copyOfPath(url: string): string {
  const end = url.indexOf('?')
  const path = url.slice(0, Math.min(end === -1 ? url.length : end, monitorLimits.pathLengthMax))
  return Buffer.from(path, 'utf8').toString('utf8')
}
