import { kvMetrics } from './metric-definitions.js'
import type { HistogramCell, MetricDefinition, MetricFamily, NumberCell } from './metric-family.js'

/** One call of the key-value store. */
export interface ObservedKv {
  /** One of few words, e.g. `get`. */
  readonly operation: string
  /** Milliseconds that it took. */
  readonly ms: number
  /** False when it failed. */
  readonly ok: boolean
}

/** How often an operation was called since the start. */
export interface KvOperationNumbers {
  readonly count: number
  readonly errors: number
  /** 0 when it was never called. */
  readonly avgLatencyMs: number
}

/** What the key-value store holds, all namespaces together. */
export interface KvTotals {
  readonly pending: number
  readonly processing: number
  /** Dead letters. */
  readonly dlq: number
  readonly entries: number
  readonly bytes: number
}

/** The calls of one operation that other threads have counted so far. */
export interface KvCallCount {
  readonly operation: string
  readonly errors: number
  /** Milliseconds of all calls together. */
  readonly ms: number
  /** Calls by what they took, in the parts of the histogram. */
  readonly byDuration: readonly number[]
}

const none = { errors: 0, ms: 0, byDuration: [] as readonly number[] }

interface Families {
  counter(definition: MetricDefinition): MetricFamily<NumberCell>
  histogram(definition: MetricDefinition): MetricFamily<HistogramCell>
}

interface Cells {
  readonly operations: NumberCell
  readonly errors: NumberCell
  readonly duration: HistogramCell
}

/** The numbers of the key-value store. Each call finds its cells without making anything. */
export class KvSeries {
  /** All series, in the order in which they are written. */
  readonly families: readonly (MetricFamily<NumberCell> | MetricFamily<HistogramCell>)[]
  readonly #counted
  readonly #gauges
  readonly #cells = new Map<string, Cells>()
  /** What has been taken in of the counts of other threads. */
  readonly #taken = new Map<string, KvCallCount>()

  constructor({ counter, histogram }: Families) {
    this.#counted = {
      operations: counter(kvMetrics.operations),
      errors: counter(kvMetrics.errors),
      duration: histogram(kvMetrics.duration),
    }
    this.#gauges = {
      pending: counter(kvMetrics.pending),
      processing: counter(kvMetrics.processing),
      dlq: counter(kvMetrics.dlq),
      total: counter(kvMetrics.total),
      entries: counter(kvMetrics.entries),
      bytes: counter(kvMetrics.bytes),
    }
    this.families = [...Object.values(this.#counted), ...Object.values(this.#gauges)]
  }

  observed({ operation, ms, ok }: ObservedKv): void {
    const cells = this.#cells.get(operation) ?? this.#find(operation)
    cells.operations.value += 1
    cells.duration.observe(ms)
    if (!ok) cells.errors.value += 1
  }

  /** Takes in what other threads have counted since the last time. */
  take(counts: readonly KvCallCount[]): void {
    for (const count of counts) {
      const { operation, errors, ms, byDuration } = count
      const before = this.#taken.get(operation) ?? none
      const cells = this.#cells.get(operation) ?? this.#find(operation)
      const added = byDuration.map((calls, at) => calls - (before.byDuration[at] ?? 0))
      const calls = added.reduce((sum, part) => sum + part, 0)
      cells.operations.value += calls
      cells.errors.value += errors - before.errors
      cells.duration.add(added, ms - before.ms)
      this.#taken.set(operation, count)
    }
  }

  setTotals({ pending, processing, dlq, entries, bytes }: KvTotals): void {
    const gauges = this.#gauges
    gauges.pending.of().value = pending
    gauges.processing.of().value = processing
    gauges.dlq.of().value = dlq
    gauges.total.of().value = pending + processing + dlq
    gauges.entries.of().value = entries
    gauges.bytes.of().value = bytes
  }

  operations(): Readonly<Record<string, KvOperationNumbers>> {
    const named = [...this.#cells].map(([operation, { errors, duration }]) => {
      const { count, sum } = duration
      return [operation, { count, errors: errors.value, avgLatencyMs: count === 0 ? 0 : sum / count }]
    })
    return Object.fromEntries(named)
  }

  #find(operation: string): Cells {
    const { operations, errors, duration } = this.#counted
    const cells = {
      operations: operations.of(operation),
      errors: errors.of(operation),
      duration: duration.of(operation),
    }
    this.#cells.set(operation, cells)
    return cells
  }
}
