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
