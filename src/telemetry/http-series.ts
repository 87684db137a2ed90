import {
  type HistogramCell,
  type MetricFamily,
  type NumberCell,
  noPlugin,
  otherLabel,
} from './metric-family.js'

/** Methods that are labels; callers can make up any others. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

interface HttpFamilies {
  readonly requests: MetricFamily<NumberCell>
  readonly duration: MetricFamily<HistogramCell>
  readonly refused: MetricFamily<NumberCell>
}

interface Cells {
  readonly requests: NumberCell
  readonly duration: HistogramCell
}

/** Counts requests. Each one finds its cells by plugin, method and status without making anything. */
export class HttpSeries {
  readonly #families: HttpFamilies
  readonly #cells = new Map<string, Map<string, (Cells | undefined)[]>>()

  constructor(families: HttpFamilies) {
    this.#families = families
  }

  answered(plugin: string, method: string, status: number, seconds: number): void {
    const cells = this.#cells.get(plugin)?.get(method)?.[status] ?? this.#find(plugin, method, status)
    cells.requests.value += 1
    cells.duration.observe(seconds)
  }

  refused(plugin: string | undefined, method: string, status: number, code: string): void {
    const { requests, refused } = this.#families
    requests.of(plugin ?? noPlugin, labelOf(method), String(status)).value += 1
    refused.of(plugin ?? noPlugin, code).value += 1
  }

  aborted(plugin: string, method: string): void {
    this.#families.requests.of(plugin, labelOf(method), 'aborted').value += 1
  }

  /** To be called when series may have been dropped: the cells that are kept here could be theirs. */
  forgetCells(): void {
    this.#cells.clear()
  }

  #find(plugin: string, method: string, status: number): Cells {
    const { requests, duration } = this.#families
    const label = labelOf(method)
    const statusText = String(status)
    const cells = {
      requests: requests.of(plugin, label, statusText),
      duration: duration.of(plugin, label, statusText),
    }
    // Made-up methods are not remembered: their number has no bound.
    if (label === method) this.#remember(plugin, method, status, cells)
    return cells
  }

  #remember(plugin: string, method: string, status: number, cells: Cells): void {
    const byMethod = this.#cells.get(plugin) ?? new Map<string, (Cells | undefined)[]>()
    this.#cells.set(plugin, byMethod)
    const byStatus = byMethod.get(method) ?? []
    byMethod.set(method, byStatus)
    byStatus[status] = cells
  }
}

function labelOf(method: string): string {
  return methods.has(method) ? method : otherLabel
}
