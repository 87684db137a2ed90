import { ownMetricLimits } from '../../base/limits/telemetry.js'
import {
  addFinite,
  type MeasureDrop,
  type Measured,
  type MeasuredSeries,
  type OwnMetric,
  shapeOf,
} from '../../telemetry/own-metric.js'

/** What one call measures: gathered here, and sent once. */
export class Measurements {
  readonly #series = new Map<string, MeasuredSeries>()
  readonly #dropped = new Map<MeasureDrop, number>()

  /**
   * Adds to a counter or gauge. What is not finite, or takes from a counter, is dropped.
   *
   * @param labels Values in the order of the labels, `''` for those that were not given; undefined when one is too long.
   */
  add(metric: OwnMetric, amount: number, labels: readonly string[] | undefined): void {
    const series = this.#find(metric, amount, labels)
    if (series !== undefined) series.value = addFinite(series.value, amount)
  }

  /** Sets a gauge; see `add`. */
  set(metric: OwnMetric, value: number, labels: readonly string[] | undefined): void {
    const series = this.#find(metric, value, labels)
    if (series === undefined) return
    series.value = value
    series.isSet = true
  }

  /** Puts a value into a histogram; see `add`. Those below zero are dropped, as its sum is to rise only. */
  observe(metric: OwnMetric, value: number, labels: readonly string[] | undefined): void {
    const series = this.#find(metric, value, labels)
    if (series === undefined) return
    const { buckets = [] } = metric
    let at = 0
    while (at < buckets.length && value > (buckets[at] as number)) at += 1
    series.counts[at] = (series.counts[at] ?? 0) + 1
    series.value = addFinite(series.value, value)
  }

  /** Gives what was gathered. */
  take(generation: number): Measured {
    return { generation, series: [...this.#series.values()], dropped: [...this.#dropped] }
  }

  #find(metric: OwnMetric, value: number, labels: readonly string[] | undefined): MeasuredSeries | undefined {
    if (!Number.isFinite(value)) return this.#drop('not_finite')
    if (value < 0 && metric.type !== 'gauge') return this.#drop('negative')
    if (labels === undefined) return this.#overflow(metric, 'label_bytes')
    const known = this.#series.get(keyOf(metric, labels))
    if (known !== undefined) return again(known)
    // Each is work for the HTTP thread, and a call may make up as many labels as it likes.
    if (labels.length > 0 && this.#series.size >= ownMetricLimits.seriesPerCallMax) {
      return this.#overflow(metric, 'series')
    }
    return this.#create(metric, labels)
  }

  #overflow(metric: OwnMetric, reason: MeasureDrop): MeasuredSeries | undefined {
    this.#drop(reason)
    if (metric.type === 'gauge') return undefined
    const known = this.#series.get(keyOf(metric, undefined))
    return known === undefined ? this.#create(metric, undefined) : again(known)
  }

  #create(metric: OwnMetric, labels: readonly string[] | undefined): MeasuredSeries {
    const counts = metric.buckets === undefined ? [] : new Array<number>(metric.buckets.length + 1).fill(0)
    const series = {
      metric: metric.name,
      shape: shapeOf(metric),
      labels,
      value: 0,
      isSet: false,
      times: 1,
      counts,
    }
    this.#series.set(keyOf(metric, labels), series)
    return series
  }

  #drop(reason: MeasureDrop): undefined {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1)
  }
}

function again(series: MeasuredSeries): MeasuredSeries {
  series.times += 1
  return series
}

function keyOf({ name }: OwnMetric, labels: readonly string[] | undefined): string {
  if (labels === undefined) return `${name}!`
  // With the lengths, as values may hold any character.
  let key = name
  for (const label of labels) key += ` ${label.length}:${label}`
  return key
}
