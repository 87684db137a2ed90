import { availableParallelism } from 'node:os'
import { type Clock, createMonotonicClock } from '../base/clock.js'
import { defineError } from '../base/errors.js'
import { executorLimits, vmLimits } from '../base/limits/sandbox.js'
import { Dispatcher } from './dispatcher.js'
import { Fleet } from './fleet.js'
import {
  type CallOutcome,
  type Finding,
  type Generation,
  type HostAsk,
  type Inspection,
  type PluginSource,
  type Sandbox,
  type SandboxObserver,
  UnfinishedLoad,
} from './generation.js'
import type { Registration } from './host-function.js'
import type { InFlight } from './in-flight.js'
import type { LuaObject } from './lua-value.js'
import { PooledGeneration } from './pooled-generation.js'
import type { ExecutorReport, GenerationDefinition } from './protocol.js'
import { Reputation } from './reputation.js'
import type { GenerationSettings } from './settings.js'
import { Supervisor } from './supervisor.js'

/** The plugin's code could not be loaded; the message is for its author. */
export const loadFailed = defineError('SANDBOX_LOAD_FAILED', 422, '{reason}')

export interface SandboxOptions {
  /** Compiled entry file of an executor thread. */
  readonly entry: URL
  /** What the entry composes its services from; must survive structured cloning. */
  readonly composition: unknown
  /** Executor threads; 0 means as many as cores less one, and at least two. */
  readonly executors: number
  /**
   * False where one call runs at a time and nobody is to be protected from it: a long call keeps its executor and its
   * priority, and no thread waits to take the place of one that is occupied.
   */
  readonly isShared?: boolean
  /** False only where the hard stop alone is put to the test. */
  readonly softLimits?: boolean
  /** True counts the lines of plugins as they run and reports them as `coverage`; slow, for tests of plugins only. */
  readonly coverage?: boolean
  readonly observer?: Partial<SandboxObserver>
  /** Lines and measurements that executors report: log lines, schema drift. */
  readonly report?: (report: ExecutorReport) => void
  /**
   * Answers what capabilities ask with `HostCall.ask`. Must settle; a `HostError` is shown to the plugin, the text of
   * any other error is not. Without it every question is refused.
   */
  readonly answer?: (ask: HostAsk) => Promise<unknown>
}

/** The sandbox was created without somebody who answers. */
export const unanswered = defineError('SANDBOX_UNANSWERED', 503, '{topic} is not available in this host')

async function refuseToAnswer({ topic }: HostAsk): Promise<never> {
  throw unanswered({ topic })
}

const silentObserver: SandboxObserver = {
  hardStopped: () => undefined,
  executorStarted: () => undefined,
  executorLost: () => undefined,
  vmBuilt: () => undefined,
  vmRetired: () => undefined,
  budgetKilled: () => undefined,
  callWaited: () => undefined,
}

/** Starts the executor threads. They become warm in the background; calls wait for them. */
export function createSandbox(options: SandboxOptions): Sandbox {
  return new ThreadSandbox(options)
}

class ThreadSandbox implements Sandbox {
  readonly #clock: Clock = createMonotonicClock()
  readonly #observer: SandboxObserver
  readonly #fleet: Fleet
  readonly #dispatcher: Dispatcher
  readonly #supervisor: Supervisor
  readonly #quarantined = new Set<string>()
  readonly #plugins = new Map<number, string>()
  readonly #findings = new Map<number, Finding[]>()
  #generations = 0
  /** Works of the host that calls may have to wait for. */
  #holds = 0

  constructor(options: SandboxOptions) {
    this.#observer = { ...silentObserver, ...options.observer }
    const isShared = options.isShared ?? true
    this.#fleet = new Fleet({
      entry: options.entry,
      composition: options.composition,
      executors: options.executors > 0 ? options.executors : Math.max(2, availableParallelism() - 1),
      spares: isShared ? 1 : 0,
      coverage: options.coverage ?? false,
      softLimits: options.softLimits ?? true,
      observer: this.#observer,
      report: (report) => this.#report(report, options.report),
      answer: options.answer ?? refuseToAnswer,
    })
    this.#dispatcher = new Dispatcher(this.#fleet, this.#clock)
    this.#supervisor = new Supervisor({
      fleet: this.#fleet,
      dispatcher: this.#dispatcher,
      clock: this.#clock,
      handsOver: isShared,
      isHeld: () => this.#holds > 0,
      pluginOf: (generation) => this.#plugins.get(generation),
      hardStopped: (plugin, reason) => {
        this.setQuarantine(plugin, true)
        this.#observer.hardStopped(plugin, reason)
      },
    })
  }

  ready(): Promise<void> {
    return this.#fleet.ready
  }

  async inspect(source: PluginSource, settings: GenerationSettings): Promise<Inspection> {
    const definition = this.#define(source.folder, '', source, settings)
    try {
      return await this.#load(definition, 'manifest')
    } finally {
      this.#forget(definition)
    }
  }

  async createGeneration(
    plugin: string,
    version: string,
    source: PluginSource,
    settings: GenerationSettings,
  ): Promise<Generation> {
    const definition = this.#define(plugin, version, source, settings)
    try {
      // The first call finds a VM in whichever executor it comes to. One after the other, so that a plugin which
      // loads slowly never occupies all executors at once.
      const [first, ...others] = this.#fleet.placesOf(plugin)
      const inspection = await this.#load(definition, 'module', first?.id)
      for (const { id } of others) await this.#load(definition, 'module', id)
      this.#fleet.publish(definition)
      return new PooledGeneration({
        definition,
        inspection,
        findings: this.#findings.get(definition.id) ?? [],
        clock: this.#clock,
        dispatch: (call) => {
          this.#dispatcher.dispatch(call)
          this.#supervisor.watch()
        },
        budgetKilled: (code) => this.#observer.budgetKilled(plugin, code),
        waited: (kind, waitedMs) => this.#observer.callWaited(plugin, kind, waitedMs),
        suspended: () => this.#fleet.suspendedOf(definition.id),
        forget: () => this.#forget(definition),
      })
    } catch (error) {
      this.#forget(definition)
      throw error
    }
  }

  setQuarantine(plugin: string, quarantined: boolean): void {
    if (quarantined) {
      this.#quarantined.add(plugin)
      this.#fleet.isolate(plugin)
      this.#supervisor.watch()
    } else if (this.#quarantined.delete(plugin)) {
      this.#fleet.release(plugin)
    }
  }

  isQuarantined(plugin: string): boolean {
    return this.#quarantined.has(plugin)
  }

  async whileHeld<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#holds += 1
    try {
      return await work()
    } finally {
      // What has piled up meanwhile needs a while to get its turn.
      setTimeout(() => {
        this.#holds -= 1
      }, executorLimits.afterHoldMs).unref()
    }
  }

  async close(): Promise<void> {
    this.#dispatcher.close()
    this.#supervisor.close()
    await this.#fleet.close()
  }

  #define(
    plugin: string,
    version: string,
    source: PluginSource,
    settings: GenerationSettings,
  ): GenerationDefinition {
    this.#generations += 1
    const definition = { id: this.#generations, plugin, version, files: source.files, settings }
    this.#plugins.set(definition.id, plugin)
    this.#findings.set(definition.id, [])
    return definition
  }

  #forget({ id, plugin }: GenerationDefinition): void {
    this.#plugins.delete(id)
    this.#findings.delete(id)
    this.#fleet.forget(id, plugin)
  }

  /** Runs init.lua for the first time, in a thread that serves nobody where there is one. */
  async #load(
    definition: GenerationDefinition,
    phase: 'manifest' | 'module',
    executor?: number,
  ): Promise<Inspection> {
    const outcome = await new Promise<CallOutcome>((resolve) => {
      const nowMs = this.#clock()
      const call: InFlight = {
        generation: {
          id: definition.id,
          plugin: definition.plugin,
          slots: 1,
          reservedSlots: 0,
          held: 0,
          reputation: new Reputation(),
        },
        request: undefined,
        load: { definition, phase, ...(executor === undefined ? {} : { executor }) },
        dispatchedAtMs: nowMs,
        deadlineMs: nowMs + definition.settings.timeoutMs,
        waitsUntilMs: nowMs + executorLimits.loadWaitMs,
        operationsMax: 0,
        overrun: false,
        evictedAtMs: Number.NEGATIVE_INFINITY,
        startedAtMs: 0,
        claim: -1,
        queue: undefined,
        previous: undefined,
        next: undefined,
        place: -1,
        resolve,
      }
      this.#dispatcher.dispatch(call)
      this.#supervisor.watch()
    })
    if (!outcome.ok) throw loadFailed({ reason: outcome.message })
    const [pluginInfo, hasOnInit, hasOnShutdown, registrations, failure] = outcome.result as [
      LuaObject | undefined,
      boolean,
      boolean,
      Registration[],
      string | undefined,
    ]
    if (failure !== undefined)
      throw loadFailed({ reason: failure }, { cause: new UnfinishedLoad(pluginInfo) })
    return { pluginInfo, hasOnInit, hasOnShutdown, registrations }
  }

  #report(report: ExecutorReport, further: ((report: ExecutorReport) => void) | undefined): void {
    const { kind, plugin, generation, data } = report
    if (kind === 'vm_built') {
      this.#observer.vmBuilt(plugin, data as number)
    } else if (kind === 'vm_retired') {
      this.#observer.vmRetired(plugin, data as string)
    } else {
      const findings = this.#findings.get(generation)
      if (findings !== undefined && findings.length < vmLimits.findingsMax) findings.push({ kind, data })
      further?.(report)
    }
  }
}
