import type { HistogramCell, MetricFamily } from './metric-family.js'

/** Observes how long calls wait. Each call finds its cell without making anything. */
export class WaitSeries {
  readonly #family: MetricFamily<HistogramCell>
  readonly #cells = new Map<string, Map<string, HistogramCell>>()

  constructor(family: MetricFamily<HistogramCell>) {
    this.#family = family
  }

  /** @param kind Kind of the call, e.g. `http`: one of the few that the host has. */
  waited(plugin: string, kind: string, seconds: number): void {
    const cell = this.#cells.get(plugin)?.get(kind) ?? this.#find(plugin, kind)
    cell.observe(seconds)
  }

  /** To be called when series may have been dropped: the cells that are kept here could be theirs. */
  forgetCells(): void {
    this.#cells.clear()
  }

  #find(plugin: string, kind: string): HistogramCell {
    const cell = this.#family.of(plugin, kind)
    const byKind = this.#cells.get(plugin) ?? new Map<string, HistogramCell>()
    this.#cells.set(plugin, byKind)
    byKind.set(kind, cell)
    return cell
  }
}
