import { setImmediate as nextTurn } from 'node:timers/promises'
import { metricLimits } from '../base/limits/telemetry.js'
import { HistogramCell, type MetricDefinition, type NumberCell, type Series } from './metric-family.js'

/** One metric as JSON. */
export interface MetricJson {
  readonly name: string
  readonly type: string
  readonly help: string
  /** Upper bounds of the buckets of a histogram, rising; absent for other metrics. */
  readonly bounds?: readonly number[]
  readonly samples: readonly MetricSample[]
}

/** One series of a metric. */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>
  /** How many values were observed, for a histogram. */
  readonly value: number
  /** Sum of those values; absent for other metrics. */
  readonly sum?: number
  /** How many of them were at most the bound at the same place; absent for other metrics. */
  readonly counts?: readonly number[]
}

/** A metric with all its series, whoever holds them. */
export interface WrittenFamily {
  readonly definition: MetricDefinition
  series(): Iterable<Series<NumberCell | HistogramCell>>
}

/**
 * Writes metrics in the text format of Prometheus. Every few milliseconds the event loop gets its turn: requests do
 * not wait for a page of many series.
 */
export async function writeMetricText(families: readonly WrittenFamily[]): Promise<string> {
  const parts: string[] = []
  let turnMs = performance.now()
  for (const family of families) {
    const { definition } = family
    parts.push(headOf(definition))
    for (const { text, cell } of family.series()) {
      parts.push(
        cell instanceof HistogramCell
          ? histogramLines(definition, text, cell)
          : `${definition.name}${text === '' ? '' : `{${text}}`} ${cell.value}\n`,
      )
      // Gauges are made anew at each reading: a pause could show a part of two readings.
      if (definition.type === 'gauge' || performance.now() - turnMs < metricLimits.writeTurnMs) continue
      await nextTurn()
      turnMs = performance.now()
    }
  }
  return parts.join('')
}

/** Gives metrics as JSON. */
export function toMetricJson(families: readonly WrittenFamily[]): readonly MetricJson[] {
  return families.map((family) => {
    const { name, type, help, buckets } = family.definition
    const samples = [...family.series()].map(({ labels, cell }) =>
      cell instanceof HistogramCell
        ? { labels, value: cell.count, sum: cell.sum, counts: addUp(cell.counts.subarray(0, -1)) }
        : { labels, value: cell.value },
    )
    return { name, type, help, ...(buckets === undefined ? {} : { bounds: buckets }), samples }
  })
}

function headOf({ name, type, help }: MetricDefinition): string {
  const text = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return `# HELP ${name} ${text}\n# TYPE ${name} ${type}\n`
}

function histogramLines(
  { name, buckets = [] }: MetricDefinition,
  labels: string,
  cell: HistogramCell,
): string {
  const head = `${name}_bucket{${labels}${labels === '' ? '' : ','}le="`
  const tail = labels === '' ? '' : `{${labels}}`
  let lines = ''
  let count = 0
  for (let at = 0; at < buckets.length; at += 1) {
    count += cell.counts[at] as number
    lines += `${head}${buckets[at]}"} ${count}\n`
  }
  return `${lines}${head}+Inf"} ${cell.count}\n${name}_sum${tail} ${cell.sum}\n${name}_count${tail} ${cell.count}\n`
}

function addUp(counts: Float64Array): readonly number[] {
  let sum = 0
  return Array.from(counts, (count) => {
    sum += count
    return sum
  })
}
