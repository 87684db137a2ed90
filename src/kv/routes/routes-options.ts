import type { FastifyRequest } from 'fastify'
import type { FailureLog } from '../../areas/area.js'
import type { RecordChange } from '../../areas/recorded-change.js'
import type { AreaUser } from '../../areas/user.js'
import type { TokenBuckets } from '../../base/token-buckets.js'
import type { KvNamespaces } from '../kv.js'
import type { KvTotals } from '../sqlite/overview.js'
import type { MessageHolds } from './message-holds.js'
import type { StreamSlots } from './stream-slots.js'

/** How often an operation was called since the server started. */
export interface KvOperationNumbers {
  readonly count: number
  readonly errors: number
  readonly avgLatencyMs: number
}

/** What is measured of the store. */
export interface KvMeasurements {
  /** By the name of the operation, e.g. `get`. */
  operations(): Readonly<Record<string, KvOperationNumbers>>
  /** The series of the store in the text format of Prometheus. */
  text(): Promise<string>
  /** Media type of `text()`. */
  readonly contentType: string
}

/** What is told of the store as a whole. */
export interface KvOverview {
  /** Names the namespaces that something was written to, up to `kvLimits.namespacesShownMax`. */
  names(): Promise<readonly string[]>
  /** Counts what the store holds, at a bounded price. */
  totals(): Promise<KvTotals>
}

/** What the HTTP interface of the key-value store is made of. */
export interface KvRoutesOptions {
  readonly namespaces: KvNamespaces
  readonly overview: KvOverview
  /** Without it there is no `GET /metrics`. */
  readonly measurements?: KvMeasurements | undefined
  /** Gives the user of a request; undefined for somebody who has not proved who they are. */
  authenticate(request: FastifyRequest): AreaUser | undefined | Promise<AreaUser | undefined>
  /** Names the client of a request, e.g. the network of its address. */
  clientOf(request: FastifyRequest): string
  /** Requests that each client may send. */
  readonly rate: Pick<TokenBuckets, 'take' | 'waitMs'>
  /** False keeps the operations out of the OpenAPI document, where they are mounted a second time. */
  readonly isDocumented: boolean
  /** Milliseconds between two signs of life on a quiet stream; `kvHttpLimits.heartbeatMs` when missing. */
  readonly heartbeatMs?: number
  /** Streams of clients that are open, shared by all places where the routes are mounted. */
  readonly streams: StreamSlots
  /** Messages of streams that wait for an answer, shared in the same way. */
  readonly holds: MessageHolds
  readonly log: FailureLog
  /** Gets what changes how the store works; nobody does when missing. */
  readonly record?: RecordChange
}
