import { type GatewayFigures, GatewaySeries } from './gateway-series.js'
import { HttpSeries } from './http-series.js'
import {
  type KvCallCount,
  type KvOperationNumbers,
  KvSeries,
  type KvTotals,
  type ObservedKv,
} from './kv-series.js'
import { countedMetrics, observedMetrics } from './metric-definitions.js'
import { HistogramCell, type MetricDefinition, MetricFamily, NumberCell } from './metric-family.js'
import { type MetricJson, toMetricJson, type WrittenFamily, writeMetricText } from './metric-writer.js'
import { OwnSeries } from './own-series.js'
import { PluginGauges, type PluginSnapshot } from './plugin-gauges.js'
import { PoolFigures } from './pool-figures.js'
import { ProcessMetrics } from './process-metrics.js'
import { WaitSeries } from './wait-series.js'

/** How a reload ended. */
export type ReloadStatus = 'success' | 'error'

/** One run of a hook. */
export interface ObservedHook {
  readonly plugin: string
  /** e.g. `before_create`. */
  readonly event: string
  readonly table: string
  /** `ok`, `error`, `timeout` or another word of few. */
  readonly status: string
  readonly durationMs: number
  readonly when: 'before' | 'after'
}

/** One run of a stage of the gateway, or of a function for keys. */
export interface ObservedStageRun {
  readonly plugin: string
  /** Name of its registration. */
  readonly stage: string
  /** `ok`, `failed`, `timeout` or `paused`. */
  readonly status: string
}

/** One message that a function of a plugin was called with. */
export interface ObservedMessage {
  readonly plugin: string
  readonly queue: string
  /** `ok`, `failed`, `timeout` or `dead`. */
  readonly status: string
  readonly durationMs: number
  /** Time for which it has waited; undefined where it is not the first call. */
  readonly lagMs: number | undefined
}

/** Changes that were not queued for a plugin. */
export interface DroppedChanges {
  readonly plugin: string
  /** `full` or `depth`. */
  readonly reason: string
  readonly count: number
}

/** One request that a plugin sent. */
export interface ObservedOutbound {
  readonly plugin: string
  readonly method: string
  readonly domain: string
  /** HTTP status; 0 when no answer came. */
  readonly status: number
  readonly durationMs: number
}

type Counters = MetricFamily<NumberCell>
type Histograms = MetricFamily<HistogramCell>

/**
 * The metrics of one host. Observing is synchronous and cheap and never throws; reading is asynchronous. However many
 * names plugins and callers make up, the number of series is bounded (`metricLimits`).
 */
export class Metrics {
  readonly #process = new ProcessMetrics()
  readonly #families: (Counters | Histograms)[] = []
  readonly #http: HttpSeries
  readonly #gauges: PluginGauges
  readonly #hooks = {
    before: this.#counter(countedMetrics.hookBefore),
    after: this.#counter(countedMetrics.hookAfter),
    duration: this.#histogram(countedMetrics.hookDuration),
  }
  readonly #stages = this.#counter(countedMetrics.stageRuns)
  readonly #outbound = {
    requests: this.#counter(countedMetrics.outboundRequests),
    duration: this.#histogram(countedMetrics.outboundDuration),
  }
  readonly #messages = {
    calls: this.#counter(countedMetrics.messages),
    duration: this.#histogram(countedMetrics.messageDuration),
    lag: this.#histogram(countedMetrics.messageLag),
    dropped: this.#counter(countedMetrics.changesDropped),
  }
  readonly #ownDropped = this.#counter(countedMetrics.ownDropped)
  readonly #errors = this.#counter(countedMetrics.errors)
  readonly #trips = this.#counter(countedMetrics.breakerTrips)
  readonly #reloads = this.#counter(countedMetrics.reloads)
  readonly #kills = this.#counter(countedMetrics.budgetKills)
  readonly #hardStops = this.#counter(countedMetrics.hardStops)
  readonly #vmBuilds = this.#histogram(countedMetrics.vmBuild)
  readonly #vmRetirements = this.#counter(countedMetrics.vmRetirements)
  readonly #waits = new WaitSeries(this.#histogram(countedMetrics.callWait))
  readonly #actionsLost = this.#counter(countedMetrics.actionsLost)
  readonly #clientsRefused = this.#counter(countedMetrics.clientsRefused)
  readonly #executorStarts = this.#counter(countedMetrics.executorStarts).of()
  readonly #executorEnds = this.#counter(countedMetrics.executorEnds)
  readonly #kv = new KvSeries({
    counter: (definition) => this.#counter(definition),
    histogram: (definition) => this.#histogram(definition),
  })
  readonly #gateway = new GatewaySeries((definition) => this.#counter(definition))
  /** The metrics that plugins declare for themselves. */
  readonly own = new OwnSeries((plugin, reason, count) => {
    this.#ownDropped.of(plugin, reason).value += count
  })
  /** What `/metrics/api` shows. */
  readonly figures = new PoolFigures()
  /** The read that is under way; whoever comes meanwhile shares it. */
  #reading: Promise<string> | undefined
  #snapshot: (() => readonly PluginSnapshot[]) | undefined
  #gatewayFigures: (() => GatewayFigures) | undefined
  #kvTotals: (() => Promise<KvTotals>) | undefined
  #kvCounts: (() => readonly KvCallCount[]) | undefined

  constructor() {
    this.#http = new HttpSeries({
      requests: this.#counter(countedMetrics.httpRequests),
      duration: this.#histogram(countedMetrics.httpDuration),
      refused: this.#counter(countedMetrics.httpRefused),
    })
    this.#gauges = new PluginGauges((name) => this.#counter(observedMetrics[name]))
  }

  /** Media type of `text()`. */
  get contentType(): string {
    return this.#process.contentType
  }

  /** Sets who tells, at each reading, which plugins there are and how they are; series of all others are dropped. */
  follow(snapshot: () => readonly PluginSnapshot[]): void {
    this.#snapshot = snapshot
  }

  /** Sets who counts, at each reading, what the key-value store holds, and who knows the calls of other threads. */
  followKv(totals: () => Promise<KvTotals>, counts: () => readonly KvCallCount[]): void {
    this.#kvTotals = totals
    this.#kvCounts = counts
  }

  /** Sets who tells, at each reading, how the parts of the gateway are doing. */
  followGateway(figures: () => GatewayFigures): void {
    this.#gatewayFigures = figures
  }

  /** A request was answered by a plugin, or failed in it. */
  httpAnswered(plugin: string, method: string, status: number, durationMs: number): void {
    this.figures.answered(plugin, status, durationMs)
    this.#http.answered(plugin, method, status, durationMs / 1000)
  }

  /** A request was answered without its plugin. `plugin` is undefined when no plugin has the name in its URL. */
  httpRefused(plugin: string | undefined, method: string, status: number, code: string): void {
    if (plugin !== undefined) this.figures.refused()
    this.#http.refused(plugin, method, status, code)
  }

  /** The client went away before there was an answer. */
  httpAborted(plugin: string, method: string): void {
    this.#http.aborted(plugin, method)
  }

  /** A call, or a load, of a plugin failed. */
  pluginFailed(plugin: string, type: string): void {
    this.#errors.of(plugin, type).value += 1
  }

  /** A stage of a plugin was run, or was not because it is paused. */
  stageObserved({ plugin, stage, status }: ObservedStageRun): void {
    this.#stages.of(plugin, stage, status).value += 1
  }

  /** One run of a before-, after- or read hook has ended. */
  hookObserved({ plugin, event, table, status, durationMs, when }: ObservedHook): void {
    this.#hooks[when].of(plugin, event, table, status).value += 1
    this.#hooks.duration.of(plugin, event, table, status).observe(durationMs / 1000)
  }

  /** A call of a function for messages or changes has ended. */
  messageObserved({ plugin, queue, status, durationMs, lagMs }: ObservedMessage): void {
    this.#messages.calls.of(plugin, queue, status).value += 1
    this.#messages.duration.of(plugin, queue, status).observe(durationMs / 1000)
    if (lagMs !== undefined) this.#messages.lag.of(plugin, queue).observe(lagMs / 1000)
  }

  /** So many changes were not queued for a plugin. */
  changesDropped({ plugin, reason, count }: DroppedChanges): void {
    this.#messages.dropped.of(plugin, reason).value += count
  }

  /** A request of a plugin to another server has ended. */
  outboundObserved({ plugin, method, domain, status, durationMs }: ObservedOutbound): void {
    const statusText = String(status)
    this.#outbound.requests.of(plugin, method, domain, statusText).value += 1
    this.#outbound.duration.of(plugin, method, domain, statusText).observe(durationMs / 1000)
  }

  /** A call of the key-value store on this thread has ended. */
  kvObserved(observed: ObservedKv): void {
    this.#kv.observed(observed)
  }

  /** The calls of the key-value store so far, by operation. */
  kvOperations(): Readonly<Record<string, KvOperationNumbers>> {
    this.#kv.take(this.#kvCounts?.() ?? [])
    return this.#kv.operations()
  }

  /** Writes the part of `text()` that is about the key-value store. */
  async kvText(): Promise<string> {
    await this.#refreshKv()
    return writeMetricText(this.#kv.families)
  }

  breakerTripped(plugin: string): void {
    this.#trips.of(plugin).value += 1
  }

  reloaded(plugin: string, status: ReloadStatus): void {
    this.figures.look()
    this.#reloads.of(plugin, status).value += 1
  }

  budgetKilled(plugin: string, code: string): void {
    this.figures.stopped()
    this.#kills.of(plugin, code).value += 1
  }

  hardStopped(plugin: string): void {
    this.#hardStops.of(plugin).value += 1
  }

  vmBuilt(plugin: string, durationMs: number): void {
    this.figures.built()
    this.#vmBuilds.of(plugin).observe(durationMs / 1000)
  }

  vmRetired(plugin: string, reason: string): void {
    this.figures.retired()
    this.#vmRetirements.of(plugin, reason.replaceAll(' ', '_').toLowerCase()).value += 1
  }

  /** A call has run, after this time in queues. */
  callWaited(plugin: string, kind: string, waitedMs: number): void {
    this.#waits.waited(plugin, kind, waitedMs / 1000)
  }

  executorStarted(): void {
    this.#executorStarts.value += 1
  }

  /** So many recorded actions will reach no plugin; `reason` is a word of few. */
  actionsLost(reason: string, count: number): void {
    this.#actionsLost.of(reason).value += count
  }

  /** A client was refused or cut off; `reason` is a word of few. */
  clientRefused(reason: string): void {
    this.#clientsRefused.of(reason).value += 1
  }

  executorEnded(cause: string): void {
    this.#executorEnds.of(cause).value += 1
  }

  /** Writes everything in the text format of Prometheus. */
  text(): Promise<string> {
    this.#reading ??= this.#write().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  /** Gives everything as JSON. */
  async json(): Promise<readonly MetricJson[]> {
    await this.#refreshKv()
    const own = this.#refresh()
    return [...toMetricJson([...this.#families, ...own]), ...(await this.#process.json())]
  }

  async #write(): Promise<string> {
    await this.#refreshKv()
    const own = this.#refresh()
    return `${await writeMetricText([...this.#families, ...own])}${await this.#process.text()}`
  }

  /** Looks at the plugins that there are; gives their own metrics. */
  #refresh(): readonly WrittenFamily[] {
    if (this.#gatewayFigures !== undefined) this.#gateway.set(this.#gatewayFigures())
    if (this.#snapshot === undefined) return []
    const plugins = this.#snapshot()
    const known = new Set(plugins.map(({ plugin }) => plugin))
    for (const family of this.#families) family.keep((plugin) => known.has(plugin))
    this.#http.forgetCells()
    this.#waits.forgetCells()
    this.#gauges.set(plugins)
    return this.own.families([...known])
  }

  /** A store that cannot be counted at the moment, e.g. because it is closed, keeps the numbers of the last reading. */
  async #refreshKv(): Promise<void> {
    this.#kv.take(this.#kvCounts?.() ?? [])
    const totals = await this.#kvTotals?.().catch(() => undefined)
    if (totals !== undefined) this.#kv.setTotals(totals)
  }

  #counter(definition: MetricDefinition): Counters {
    return this.#register(new MetricFamily(definition, () => new NumberCell()))
  }

  #histogram(definition: MetricDefinition): Histograms {
    return this.#register(new MetricFamily(definition, () => new HistogramCell(definition.buckets ?? [])))
  }

  #register<Family extends Counters | Histograms>(family: Family): Family {
    this.#families.push(family)
    return family
  }
}

/** Creates the metrics of one host, those of its process included. */
export function createMetrics(): Metrics {
  return new Metrics()
}
