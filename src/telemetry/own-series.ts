import { ownMetricLimits } from '../base/limits/telemetry.js'
import {
  HistogramCell,
  labelText,
  type MetricDefinition,
  NumberCell,
  otherLabel,
  type Series,
} from './metric-family.js'
import type { WrittenFamily } from './metric-writer.js'
import {
  addFinite,
  linesOf,
  type MeasureDrop,
  type Measured,
  type MeasuredSeries,
  type OwnMetric,
  ownMetricName,
  shapeOf,
} from './own-metric.js'

/** What the serving generation of a plugin has declared. */
export interface DeclaredMetrics {
  /** Later generations have higher numbers. */
  readonly generation: number
  metrics(): readonly OwnMetric[]
}

/** Hears of what was measured and does not stand where it belongs. */
export type DropListener = (plugin: string, reason: MeasureDrop, count: number) => void

type Cell = NumberCell | HistogramCell

/** The series of one metric of a plugin. */
class OwnFamily implements WrittenFamily {
  readonly definition: MetricDefinition
  readonly shape: string
  readonly lines: number
  readonly #plugin: string
  readonly #series: Map<string, Series<Cell>>

  /** @param former Goes on with its numbers; it has the same shape. */
  constructor(plugin: string, metric: OwnMetric, former: OwnFamily | undefined) {
    this.definition = {
      ...metric,
      name: ownMetricName(plugin, metric.name),
      labels: ['plugin', ...metric.labels],
    }
    this.shape = shapeOf(metric)
    this.lines = linesOf(metric)
    this.#plugin = plugin
    this.#series = former === undefined ? new Map() : former.#series
    // Readers can tell "nothing yet" from "no such metric".
    if (metric.labels.length === 0) this.of([], () => true)
  }

  /** Lines that count against the limit: all but those that there are in any case. */
  get linesUsed(): number {
    if (this.definition.labels.length === 1) return 0
    return (this.#series.size - (this.#series.has(this.#otherText) ? 1 : 0)) * this.lines
  }

  series(): Iterable<Series<Cell>> {
    return this.#series.values()
  }

  /** Finds the cell of a series, which is made when there is room for it. */
  of(values: readonly string[], hasRoom: () => boolean): Cell | undefined {
    const labels = this.#labelsOf(values)
    const text = labelText(labels)
    const known = this.#series.get(text)
    if (known !== undefined) return known.cell
    return hasRoom() ? this.#create(labels, text) : undefined
  }

  /** The cell of everything that has no room. */
  other(): Cell {
    return this.#series.get(this.#otherText)?.cell ?? this.#create(this.#labelsOf(undefined), this.#otherText)
  }

  get #otherText(): string {
    return labelText(this.#labelsOf(undefined))
  }

  #labelsOf(values: readonly string[] | undefined): Readonly<Record<string, string>> {
    const [, ...names] = this.definition.labels
    const own = names.map((name, at) => [name, values === undefined ? otherLabel : (values[at] ?? '')])
    return Object.fromEntries([['plugin', this.#plugin], ...own])
  }

  #create(labels: Readonly<Record<string, string>>, text: string): Cell {
    const { type, buckets = [] } = this.definition
    const cell = type === 'histogram' ? new HistogramCell(buckets) : new NumberCell()
    this.#series.set(text, { labels, text, cell })
    return cell
  }
}

/** The metrics of one plugin, as its serving generation declares them. */
interface OwnPart {
  /** 0 while the plugin does not run; nothing of it is kept then but what is early. */
  readonly generation: number
  readonly families: ReadonlyMap<string, OwnFamily>
  lines: number
  /** Of generations that do not serve yet: of their on_init. */
  readonly early: Measured[]
}

/**
 * The metrics that plugins declare for themselves, from all executor threads. What serves decides which there are and
 * of what type; what calls of former generations report is added where it still fits.
 */
export class OwnSeries {
  readonly #onDropped: DropListener
  readonly #parts = new Map<string, OwnPart>()
  #declared: (plugin: string) => DeclaredMetrics | undefined = () => undefined

  constructor(onDropped: DropListener) {
    this.#onDropped = onDropped
  }

  /** Sets who knows what a plugin that serves has declared. */
  follow(declared: (plugin: string) => DeclaredMetrics | undefined): void {
    this.#declared = declared
  }

  /** Takes in what a call has measured. */
  take(plugin: string, measured: Measured): void {
    const part = this.#partOf(plugin)
    for (const [reason, count] of measured.dropped) this.#onDropped(plugin, reason, count)
    if (measured.generation <= part.generation) this.#apply(plugin, part, measured)
    else if (part.early.push(measured) > ownMetricLimits.earlyReportsMax) part.early.shift()
  }

  /** All metrics of those of these plugins that run; those of others are forgotten. */
  families(plugins: readonly string[]): readonly WrittenFamily[] {
    const known = new Set(plugins)
    for (const plugin of this.#parts.keys()) if (!known.has(plugin)) this.#parts.delete(plugin)
    return plugins.flatMap((plugin) => [...this.#partOf(plugin).families.values()])
  }

  #partOf(plugin: string): OwnPart {
    const declared = this.#declared(plugin)
    const known = this.#parts.get(plugin)
    if (known !== undefined && known.generation === (declared?.generation ?? 0)) return known
    const part = renew(plugin, declared, known)
    this.#parts.set(plugin, part)
    for (const early of known?.early ?? []) {
      if (early.generation === part.generation) this.#apply(plugin, part, early)
      else if (early.generation > part.generation) part.early.push(early)
    }
    return part
  }

  #apply(plugin: string, part: OwnPart, { series }: Measured): void {
    for (const measured of series) {
      const family = part.families.get(measured.metric)
      if (family?.shape === measured.shape) this.#add(plugin, part, family, measured)
    }
  }

  #add(plugin: string, part: OwnPart, family: OwnFamily, measured: MeasuredSeries): void {
    const cell = measured.labels === undefined ? family.other() : this.#find(plugin, part, family, measured)
    if (cell === undefined) return
    if (cell instanceof HistogramCell) {
      cell.add(measured.counts, 0)
      cell.sum = addFinite(cell.sum, measured.value)
    } else cell.value = measured.isSet ? measured.value : addFinite(cell.value, measured.value)
  }

  #find(
    plugin: string,
    part: OwnPart,
    family: OwnFamily,
    { labels = [], times }: MeasuredSeries,
  ): Cell | undefined {
    const found = family.of(labels, () => {
      if (part.lines + family.lines > ownMetricLimits.linesMax) return false
      part.lines += family.lines
      return true
    })
    if (found !== undefined) return found
    this.#onDropped(plugin, 'series', times)
    return family.definition.type === 'gauge' ? undefined : family.other()
  }
}

/** Keeps the numbers of metrics that are declared as before; all others begin anew. */
function renew(plugin: string, declared: DeclaredMetrics | undefined, known: OwnPart | undefined): OwnPart {
  const families = new Map<string, OwnFamily>()
  let lines = 0
  for (const metric of declared?.metrics() ?? []) {
    const former = known?.families.get(metric.name)
    const family = new OwnFamily(plugin, metric, former?.shape === shapeOf(metric) ? former : undefined)
    families.set(metric.name, family)
    lines += family.linesUsed
  }
  return { generation: declared?.generation ?? 0, families, lines, early: [] }
}
