import { poolFigureLimits } from '../base/limits/telemetry.js'

/** One plugin that serves. */
export interface ServingPlugin {
  readonly name: string
  readonly version: string
  readonly vms: number
  readonly callsInFlight: number
}

/** Who knows the plugins. */
export interface ServingPlugins {
  all(): readonly ServingPlugin[]
  /** Of a plugin that serves, or did; undefined when nothing of it was loaded. */
  versionOf(plugin: string): string | undefined
}

/** The figures of all plugins together. */
export interface PoolShown {
  /** VMs of the plugins that serve. */
  readonly activeWorkers: number
  /** Mean of the last answers, two decimals; 0 before the first. */
  readonly avgResponseTimeMs: number
  /** Requests that a VM took, of all that asked for one; percent, two decimals, 0 before the first. */
  readonly hitRate: number
  readonly hits: number
  /** Heap of the host in use; the memory of VMs is not part of it. */
  readonly memoryUsageMB: number
  /** Requests that found no VM in time. */
  readonly misses: number
  /** Mean of the last seconds. */
  readonly requestsPerSecond: number
  readonly totalRequests: number
  /** VMs that were built, since the start as all totals. */
  readonly totalWorkersCreated: number
  /** Calls that used up their time, instructions or memory, and their VM with them. */
  readonly totalWorkersFailed: number
  readonly totalWorkersRetired: number
  readonly uptimeMs: number
}

/** The figures of one version of a plugin. */
export interface WorkerShown {
  /** Since it began to serve; of one that does not, how long it served. */
  readonly ageMs: number
  /** Mean of all answers, two decimals; 0 before the first. */
  readonly avgResponseTimeMs: number
  /** Answers with a status of 500 or more. */
  readonly errorCount: number
  /** Since its last answer, or since it began to serve. */
  readonly idleMs: number
  readonly requestCount: number
  readonly status: 'active' | 'idle' | 'offline'
  readonly totalResponseTimeMs: number
}

interface Worker {
  readonly sinceMs: number
  /** When it was found not to serve any more; undefined while it serves. */
  untilMs: number | undefined
  usedAtMs: number
  requests: number
  errors: number
  totalMs: number
}

/**
 * The figures of plugins since the start of the host, for those who watch: kept beside the metrics, which know neither
 * versions nor the last seconds. Bounded: versions that served longest ago are forgotten first.
 */
export class PoolFigures {
  readonly #clock: () => number
  readonly #startMs: number
  #plugins: ServingPlugins | undefined
  readonly #workers = new Map<string, Worker>()
  readonly #answers: number[] = []
  #answersAt = 0
  /** Requests by second, in a ring; the second that each place is for stands beside it. */
  readonly #bySecond = Array.from({ length: poolFigureLimits.rateSeconds + 1 }, () => ({
    second: -1,
    count: 0,
  }))
  readonly #totals = { requests: 0, hits: 0, misses: 0, created: 0, failed: 0, retired: 0 }

  /** @param clock Milliseconds that never go back. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock
    this.#startMs = clock()
  }

  /** Sets who knows the plugins; to be called when they have been started. */
  follow(plugins: ServingPlugins): void {
    this.#plugins = plugins
    this.look()
  }

  /** A plugin has answered a request, or failed in it. */
  answered(plugin: string, status: number, durationMs: number): void {
    this.#count()
    this.#totals.hits += 1
    const version = this.#plugins?.versionOf(plugin)
    if (version === undefined) return
    this.#answers[this.#answersAt] = durationMs
    this.#answersAt = (this.#answersAt + 1) % poolFigureLimits.answersKept
    const key = keyOf(plugin, version)
    // One that was just stopped may still answer.
    const worker = this.#workers.get(key) ?? this.#workerOf(key, this.#clock())
    worker.requests += 1
    worker.totalMs += durationMs
    worker.usedAtMs = this.#clock()
    if (status >= 500) worker.errors += 1
  }

  /** A request to a plugin was answered without it. */
  refused(): void {
    this.#count()
  }

  /** A request that is told as answered found no VM in time. */
  missed(): void {
    this.#totals.misses += 1
    this.#totals.hits -= 1
  }

  /** A call used up its budget. */
  stopped(): void {
    this.#totals.failed += 1
  }

  built(): void {
    this.#totals.created += 1
  }

  retired(): void {
    this.#totals.retired += 1
  }

  get #serving(): readonly ServingPlugin[] {
    return this.#plugins?.all() ?? []
  }

  /** Looks which versions serve; to be called when that may have changed, so that their age is right. */
  look(): void {
    const nowMs = this.#clock()
    const serving = new Set(this.#serving.map(({ name, version }) => keyOf(name, version)))
    for (const key of serving) this.#workerOf(key, nowMs)
    for (const [key, worker] of this.#workers) if (!serving.has(key)) worker.untilMs ??= nowMs
  }

  /** Undefined before the plugins were started. */
  pool(): PoolShown | undefined {
    if (this.#plugins === undefined) return undefined
    const { requests, hits, misses, created, failed, retired } = this.#totals
    const nowMs = this.#clock()
    const asked = hits + misses
    return {
      activeWorkers: this.#serving.reduce((sum, { vms }) => sum + vms, 0),
      avgResponseTimeMs: rounded(mean(this.#answers)),
      hitRate: asked === 0 ? 0 : rounded((hits / asked) * 100),
      hits,
      memoryUsageMB: rounded(process.memoryUsage().heapUsed / 2 ** 20),
      misses,
      requestsPerSecond: rounded(this.#rate(nowMs)),
      totalRequests: requests,
      totalWorkersCreated: created,
      totalWorkersFailed: failed,
      totalWorkersRetired: retired,
      uptimeMs: Math.round(nowMs - this.#startMs),
    }
  }

  /** By `<name>@<version>`. */
  workers(): Readonly<Record<string, WorkerShown>> {
    this.look()
    const nowMs = this.#clock()
    const serving = this.#serving
    const busy = new Set(
      serving
        .filter(({ callsInFlight }) => callsInFlight > 0)
        .map(({ name, version }) => keyOf(name, version)),
    )
    const shown = [...this.#workers].map(
      ([key, worker]) => [key, showWorker(worker, busy.has(key), nowMs)] as const,
    )
    return Object.fromEntries(shown)
  }

  #count(): void {
    this.#totals.requests += 1
    const second = Math.floor(this.#clock() / 1000)
    const place = this.#bySecond[second % this.#bySecond.length]
    if (place === undefined) return
    if (place.second !== second) {
      place.second = second
      place.count = 0
    }
    place.count += 1
  }

  /** The second that has begun counts by the part of it that is over. */
  #rate(nowMs: number): number {
    const { rateSeconds } = poolFigureLimits
    const now = Math.floor(nowMs / 1000)
    const counted = this.#bySecond.filter(({ second }) => second > now - rateSeconds && second <= now)
    const sum = counted.reduce((total, { count }) => total + count, 0)
    const windowMs = Math.min(nowMs - this.#startMs, nowMs - (now - rateSeconds + 1) * 1000)
    return sum / Math.max(1, windowMs / 1000)
  }

  #workerOf(key: string, nowMs: number): Worker {
    const known = this.#workers.get(key)
    if (known !== undefined && known.untilMs === undefined) return known
    // One that serves again goes on with its counts; its age begins anew.
    const { requests = 0, errors = 0, totalMs = 0 } = known ?? {}
    const worker = { sinceMs: nowMs, untilMs: undefined, usedAtMs: nowMs, requests, errors, totalMs }
    this.#workers.delete(key)
    this.#makeRoom()
    this.#workers.set(key, worker)
    return worker
  }

  #makeRoom(): void {
    if (this.#workers.size < poolFigureLimits.workersMax) return
    for (const [key, { untilMs }] of this.#workers) {
      if (untilMs === undefined) continue
      this.#workers.delete(key)
      return
    }
  }
}

function showWorker(worker: Worker, isBusy: boolean, nowMs: number): WorkerShown {
  const { sinceMs, untilMs, usedAtMs, requests, errors, totalMs } = worker
  const serves = isBusy ? 'active' : 'idle'
  return {
    ageMs: Math.round((untilMs ?? nowMs) - sinceMs),
    avgResponseTimeMs: rounded(requests === 0 ? 0 : totalMs / requests),
    errorCount: errors,
    idleMs: Math.round(nowMs - usedAtMs),
    requestCount: requests,
    status: untilMs === undefined ? serves : 'offline',
    totalResponseTimeMs: rounded(totalMs),
  }
}

function keyOf(plugin: string, version: string): string {
  return `${plugin}@${version}`
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
