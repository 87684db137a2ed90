import { kvMetrics } from '../telemetry/metric-definitions.js'
import type { ObservedCall } from './observe.js'

/** What plugins can do with the store; each has its place in the shared memory. */
const operations = [
  'get',
  'set',
  'delete',
  'list',
  'paginate',
  'count',
  'atomic_commit',
  'queue_enqueue',
  'queue_stats',
  'queue_dlq',
  'queue_requeue',
  'index_create',
  'index_remove',
  'index_list',
  'search',
] as const

export type CountedOperation = (typeof operations)[number]

/** The calls of one operation so far. */
export interface CallCount {
  readonly operation: CountedOperation
  readonly errors: number
  /** Of all calls together. */
  readonly ms: number
  /** Calls by what they took, as `keyval_operation_duration_ms` divides them; the last is for the longest. */
  readonly byDuration: readonly number[]
}

const bounds = kvMetrics.duration.buckets
const cellsPerOperation = 2 + bounds.length + 1
const firstDuration = 2

/**
 * Counts calls in memory that all threads share, so that counting one costs no message: executors count, and the HTTP
 * thread reads when somebody asks.
 */
export class CallCounts {
  readonly memory: SharedArrayBuffer
  readonly #cells: BigInt64Array

  /** @param memory Of another thread's counts; new ones when missing. */
  constructor(
    memory = new SharedArrayBuffer(operations.length * cellsPerOperation * BigInt64Array.BYTES_PER_ELEMENT),
  ) {
    this.memory = memory
    this.#cells = new BigInt64Array(memory)
  }

  /** Counts a call that has ended. */
  record({ operation, ms, ok }: ObservedCall & { readonly operation: CountedOperation }): void {
    const start = operations.indexOf(operation) * cellsPerOperation
    if (!ok) Atomics.add(this.#cells, start, 1n)
    // Whole microseconds, as shared memory adds integers alone.
    Atomics.add(this.#cells, start + 1, BigInt(Math.max(0, Math.round(ms * 1000))))
    let at = 0
    while (at < bounds.length && ms > (bounds[at] ?? 0)) at += 1
    Atomics.add(this.#cells, start + firstDuration + at, 1n)
  }

  /** Reads the counts of operations that were called. */
  read(): readonly CallCount[] {
    return operations
      .map((operation, at) => this.#read(operation, at * cellsPerOperation))
      .filter(({ byDuration }) => byDuration.some((calls) => calls > 0))
  }

  #read(operation: CountedOperation, start: number): CallCount {
    const numbers = Array.from({ length: cellsPerOperation }, (_, at) =>
      Number(Atomics.load(this.#cells, start + at)),
    )
    const [errors = 0, microseconds = 0, ...byDuration] = numbers
    return { operation, errors, ms: microseconds / 1000, byDuration }
  }
}
