import { metricLimits } from '../base/limits/telemetry.js'

/** What one metric is; the reference page is made of it. */
export interface MetricDefinition {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** Names of the labels; `plugin` is the first where there is one. */
  readonly labels: readonly string[]
  readonly help: string
  /** Name that the metric has in the seed of the plugin system. */
  readonly seed?: string
  /** Upper bounds of a histogram, rising. */
  readonly buckets?: readonly number[]
}

/** Stands in the place of labels that would make too many series. */
export const otherLabel = 'other'
/** The plugin label of what is counted for plugins beyond the limit; no plugin can have that name. */
export const otherPlugin = '(other)'
/** The plugin label of requests that name no plugin. */
export const noPlugin = '(none)'

/** A number that is counted up, or set. Holders may keep it: writing to it is all that a request costs. */
export class NumberCell {
  value = 0
}

/** Counts of one series of a histogram. */
export class HistogramCell {
  readonly #bounds: readonly number[]
  /** How many values fell between a bound and the one before; the last is for what is above all. */
  readonly counts: Float64Array
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    // Clocks of two threads may differ a little; and one number that is none would spoil the sum for ever.
    const positive = Number.isFinite(value) && value > 0 ? value : 0
    const bounds = this.#bounds
    let at = 0
    while (at < bounds.length && positive > (bounds[at] as number)) at += 1
    this.counts[at] = (this.counts[at] as number) + 1
    this.sum += positive
    this.count += 1
  }

  /** Adds values that were counted elsewhere, by the same bounds; `sum` is that of the values. */
  add(counts: readonly number[], sum: number): void {
    for (const [at, count] of counts.entries()) {
      this.counts[at] = (this.counts[at] ?? 0) + count
      this.count += count
    }
    this.sum += sum
  }
}

/** One series with its number. */
export interface Series<Cell> {
  readonly labels: Readonly<Record<string, string>>
  /** The labels as the text format has them between its braces. */
  readonly text: string
  readonly cell: Cell
}

/**
 * All series of one metric, in bounded number. The numbers stand in cells that whoever counts may keep: prom-client
 * would make and hash an object of labels for each observation, and write a page of many series without a pause.
 */
export class MetricFamily<Cell extends NumberCell | HistogramCell> {
  readonly definition: MetricDefinition
  readonly #createCell: () => Cell
  readonly #seriesMax: number
  /** By plugin, then by all labels together. Metrics without that label have one group. */
  readonly #groups = new Map<string, Map<string, Series<Cell>>>()
  #size = 0

  constructor(definition: MetricDefinition, createCell: () => Cell) {
    this.definition = definition
    this.#createCell = createCell
    this.#seriesMax =
      definition.type === 'histogram' ? metricLimits.histogramSeriesMax : metricLimits.seriesMax
  }

  get name(): string {
    return this.definition.name
  }

  /** Gives the cell of a series, made when it is missing; at a limit one whose labels say `other`. */
  of(...values: readonly string[]): Cell {
    const bounded = values.map((value) =>
      value.length > metricLimits.labelCharactersMax ? otherLabel : value,
    )
    return this.#find(bounded) ?? this.#add(bounded)
  }

  /** Drops the series of all plugins for which the question is answered with false. */
  keep(isKnown: (plugin: string) => boolean): void {
    if (!this.#isByPlugin) return
    for (const [plugin, group] of this.#groups) {
      if (plugin === otherPlugin || plugin === noPlugin || isKnown(plugin)) continue
      this.#size -= group.size
      this.#groups.delete(plugin)
    }
  }

  clear(): void {
    this.#groups.clear()
    this.#size = 0
  }

  /** All series with their labels. */
  *series(): Iterable<Series<Cell>> {
    for (const group of this.#groups.values()) yield* group.values()
  }

  get #isByPlugin(): boolean {
    return this.definition.labels[0] === 'plugin'
  }

  #groupOf(values: readonly string[]): string {
    return this.#isByPlugin ? (values[0] ?? '') : ''
  }

  #find(values: readonly string[]): Cell | undefined {
    return this.#groups.get(this.#groupOf(values))?.get(values.join('\n'))?.cell
  }

  #add(values: readonly string[]): Cell {
    const own = this.#groups.get(this.#groupOf(values))?.size ?? 0
    if (this.#size >= this.#seriesMax) return this.#overflow([otherPlugin, ...values.slice(1)])
    if (this.#isByPlugin && own >= metricLimits.seriesPerPluginMax) return this.#overflow(values)
    return this.#create(values)
  }

  #overflow(values: readonly string[]): Cell {
    const [first = otherLabel] = values
    const head = this.#isByPlugin ? first : otherLabel
    const merged = this.definition.labels.map((_label, index) => (index === 0 ? head : otherLabel))
    return this.#find(merged) ?? this.#create(merged)
  }

  #create(values: readonly string[]): Cell {
    const key = this.#groupOf(values)
    const group = this.#groups.get(key) ?? new Map<string, Series<Cell>>()
    this.#groups.set(key, group)
    const labels = Object.fromEntries(
      this.definition.labels.map((label, index) => [label, values[index] ?? otherLabel]),
    )
    const cell = this.#createCell()
    group.set(values.join('\n'), { labels, text: labelText(labels), cell })
    this.#size += 1
    return cell
  }
}

/** Writes labels as the text format has them between its braces. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}="${value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`)
    .join(',')
}
