import { readlinkSync } from 'node:fs'
import type { MessagePort } from 'node:worker_threads'
import { type Clock, createMonotonicClock } from '../base/clock.js'
import { executorLimits } from '../base/limits/sandbox.js'
import type { CallContext } from './call-context.js'
import type { CallKind } from './call-kind.js'
import { ExecutorOutbox } from './executor-outbox.js'
import type { HostModule } from './host-function.js'
import { lifecycleKind, loadKind, manifestKind } from './lifecycle-kinds.js'
import { LineCoverage } from './line-coverage.js'
import { LocalGeneration, type QueuedCall, type VmKeeper } from './local-generation.js'
import { LuaInstances } from './lua-wasm.js'
import type { Phase } from './phase.js'
import { type Batch, type ExecutorData, type GenerationDefinition, hostItem } from './protocol.js'
import { Questions } from './questions.js'
import { ReportThrottle } from './report-throttle.js'
import { SharedState } from './shared-state.js'
import { Vm, type VmCall, type VmResult } from './vm.js'

/** What the thread's entry composes an executor with. */
export interface ExecutorOptions<Services> {
  readonly port: MessagePort
  readonly data: ExecutorData
  readonly modules: readonly HostModule<Services>[]
  readonly kinds: readonly CallKind[]
  /** Makes the services; `report` sends something to the host. */
  createServices(report: (kind: string, plugin: string, data: unknown) => void): Services
  /** Called when the last generation was forgotten: nothing of any plugin is left in this thread. */
  idle?(): void
  /** What `print` does. */
  print(context: CallContext<Services>, text: string): void
}

/** The code of an executor thread: takes calls from the host, runs them in VMs, sends the results back. */
export class Executor<Services> {
  readonly #options: ExecutorOptions<Services>
  readonly #shared: SharedState
  readonly #outbox: ExecutorOutbox
  readonly #questions: Questions
  readonly #kinds: ReadonlyMap<string, CallKind>
  readonly #definitions = new Map<number, GenerationDefinition>()
  readonly #generations = new Map<number, LocalGeneration<Services>>()
  readonly #throttles = new Map<number, ReportThrottle>()
  readonly #instances = new LuaInstances()
  readonly #clock: Clock = createMonotonicClock()
  readonly #clockOffsetMs: number
  readonly #services: Services
  #receiving = false
  /** End of the running call's time, on the shared clock. */
  #deadlineMs = 0
  #holdsLock = false
  #restedAtMs = 0

  private constructor(options: ExecutorOptions<Services>) {
    this.#options = options
    this.#shared = new SharedState(options.data.shared)
    this.#outbox = new ExecutorOutbox(options.port)
    this.#questions = new Questions(this.#outbox)
    this.#kinds = new Map([loadKind, lifecycleKind, ...options.kinds].map((kind) => [kind.name, kind]))
    this.#clockOffsetMs = this.#clock() - performance.now()
    this.#services = options.createServices((kind, plugin, data) =>
      this.#outbox.report(kind, plugin, 0, data),
    )
  }

  /** Starts to serve the port; tells the host when the thread is warm. */
  static async start<Services>(options: ExecutorOptions<Services>): Promise<Executor<Services>> {
    const executor = new Executor(options)
    await executor.#instances.warm()
    options.port.on('message', (batch: Batch) => executor.#receive(batch))
    executor.#outbox.ready(operatingSystemThreadId())
    return executor
  }

  get services(): Services {
    return this.#services
  }

  #receive(batch: Batch): void {
    let at = 0
    this.#shared.countReceived()
    this.#receiving = true
    while (at < batch.length) {
      switch (batch[at]) {
        case hostItem.define:
          this.#define(batch[at + 1] as GenerationDefinition)
          at += 2
          break
        case hostItem.forget:
          this.#forget(batch[at + 1] as number)
          at += 2
          break
        case hostItem.prepare:
          this.#generations
            .get(batch[at + 1] as number)
            ?.prepare(batch[at + 2] as number, batch[at + 3] as boolean)
          at += 4
          break
        case hostItem.load:
          void this.#load(batch[at + 1] as number, batch[at + 2] as number, batch[at + 3] as Phase)
          at += 4
          break
        case hostItem.answer:
          this.#questions.answered(batch[at + 1] as number, batch[at + 2] as boolean, batch[at + 3])
          at += 4
          break
        default:
          this.#call(batch, at + 1)
          at += 10
      }
    }
    this.#receiving = false
    this.#outbox.flush()
  }

  #define(definition: GenerationDefinition): void {
    if (this.#definitions.has(definition.id)) return
    this.#definitions.set(definition.id, definition)
    this.#throttles.set(definition.id, new ReportThrottle(this.#clock))
    const keeper: VmKeeper<Services> = {
      build: async () => (await this.#build(definition, 'module', -1)).vm,
      claim: (queued) => this.#claim(queued.claim),
      finished: (queued, result) => this.#finished(queued.claim, result),
      retired: (vm) => this.#outbox.report('vm_retired', definition.plugin, definition.id, vm.dead),
    }
    this.#generations.set(definition.id, new LocalGeneration(keeper))
  }

  #forget(id: number): void {
    this.#generations.get(id)?.close()
    this.#generations.delete(id)
    this.#definitions.delete(id)
    this.#throttles.delete(id)
    if (this.#definitions.size === 0) this.#options.idle?.()
  }

  #claim(claim: number): boolean {
    if (this.#shared.claim(claim)) return true
    this.#shared.release(claim)
    return false
  }

  #finished(claim: number, result: VmResult): void {
    if (result.ok) this.#outbox.done(claim, result.values)
    else this.#outbox.failed(claim, result.code, result.message)
    // A call that was suspended, or had to wait for a VM, ends outside of a batch.
    if (!this.#receiving) this.#outbox.flush()
  }

  #call(batch: Batch, at: number): void {
    const [claim, generation, kindName, phase, payload, body, requestId, deadlineMs, operationsMax] =
      batch.slice(at, at + 9) as [number, number, string, Phase, string, string, string, number, number]
    const local = this.#generations.get(generation)
    const definition = this.#definitions.get(generation)
    const kind = this.#kinds.get(kindName)
    if (local === undefined || definition === undefined || kind === undefined) {
      if (this.#claim(claim))
        this.#outbox.failed(claim, 'CLOSED', 'the plugin is not loaded in this executor')
      return
    }
    const call: VmCall = {
      claim,
      kind,
      phase,
      payload,
      body,
      requestId,
      allowance: {
        instructionsMax: definition.settings.instructionsMax,
        operationsMax,
        deadlineMs: deadlineMs - this.#clockOffsetMs,
      },
    }
    this.#outbox.beforeRunning(generation)
    const queued: QueuedCall = { claim, call }
    local.call(queued)
  }

  /** Builds a VM, runs init.lua in it and answers with what the plugin says of itself. */
  async #load(claim: number, generation: number, phase: Phase): Promise<void> {
    const definition = this.#definitions.get(generation)
    if (!this.#claim(claim)) return
    try {
      if (definition === undefined) throw new Error('the plugin is not known in this executor')
      const { vm, values } = await this.#build(definition, phase, claim)
      const [pluginInfo, hasOnInit, hasOnShutdown, failure] = values
      this.#outbox.done(claim, [pluginInfo, hasOnInit, hasOnShutdown, vm.registrations, failure])
      if (phase === 'module') this.#generations.get(generation)?.adopt(vm)
    } catch (error) {
      const code = error instanceof BuildError ? error.code : 'ERROR'
      this.#outbox.failed(claim, code, error instanceof Error ? error.message : String(error))
    }
    this.#outbox.flush()
  }

  /** Makes a VM and runs init.lua in it. The host sees that the thread builds, and sends calls elsewhere if it can. */
  async #build(
    definition: GenerationDefinition,
    phase: Phase,
    claim: number,
  ): Promise<{ vm: Vm<Services>; values: unknown[] }> {
    const started = performance.now()
    this.#shared.countBuilds(1)
    try {
      const vm = await this.#createVm(definition)
      const values = await this.#runInit(vm, definition, phase, claim)
      vm.seal()
      this.#outbox.report('vm_built', definition.plugin, definition.id, performance.now() - started)
      return { vm, values }
    } finally {
      this.#shared.countBuilds(-1)
      if (!this.#receiving) this.#outbox.flush()
    }
  }

  #createVm({ id, plugin, version, files, settings }: GenerationDefinition): Promise<Vm<Services>> {
    return Vm.create<Services>(
      {
        instances: this.#instances,
        prelude: this.#options.data.prelude,
        owner: { plugin, version, generation: id },
        source: { folder: plugin, files },
        settings,
        modules: this.#options.modules,
        services: this.#services,
        signals: {
          report: (kind, data) => {
            if (this.#throttles.get(id)?.admits() !== false) this.#outbox.report(kind, plugin, id, data)
          },
          ask: (ask) => this.#questions.ask({ plugin, version, generation: id, ...ask }),
          holdUntil: (deadlineMs) => this.#hold(deadlineMs),
        },
        print: this.#options.print,
        softLimits: this.#options.data.softLimits,
        coverage: this.#options.data.coverage ? new LineCoverage(plugin, files) : undefined,
        covered: (lines) => this.#outbox.report('coverage', plugin, id, lines),
      },
      {
        started: (of, deadlineMs) => {
          this.#holdsLock = false
          this.#deadlineMs = deadlineMs + this.#clockOffsetMs
          this.#shared.begin(of, id, this.#clock(), this.#deadlineMs)
        },
        ended: () => this.#shared.end(),
        isEvicted: () => this.#shared.isEvicted,
        pace: () => this.#pace(),
      },
    )
  }

  /** A call that has overrun while the host is busy rests now and then, unless others wait for a lock that it holds. */
  #pace(): void {
    const { restMs } = this.#shared
    if (restMs === 0 || this.#holdsLock || performance.now() - this.#restedAtMs < executorLimits.paceRunMs)
      return
    this.#shared.rest(restMs)
    this.#restedAtMs = performance.now()
  }

  /** While a lock is held the thread counts as stuck earlier; afterwards the call's own time holds again. */
  #hold(deadlineMs: number | undefined): void {
    this.#holdsLock = deadlineMs !== undefined
    const held = deadlineMs === undefined ? this.#deadlineMs : deadlineMs + this.#clockOffsetMs
    this.#shared.setDeadline(Math.min(held, this.#deadlineMs))
  }

  /**
   * Runs init.lua. One that fails for want of its configuration has said before whose configuration that is: then the
   * text of the failure comes as a further value.
   */
  async #runInit(
    vm: Vm<Services>,
    definition: GenerationDefinition,
    phase: Phase,
    claim: number,
  ): Promise<unknown[]> {
    try {
      return await this.#runAtModuleScope(vm, definition, loadKind, phase, claim)
    } catch (error) {
      const isEarly = phase === 'manifest' && definition.settings.configuration === undefined
      if (!isEarly || !(error instanceof BuildError) || error.code !== 'ERROR') throw error
      const [pluginInfo] = await this.#runAtModuleScope(vm, definition, manifestKind, phase, claim)
      if (pluginInfo === undefined) throw error
      return [pluginInfo, false, false, error.message]
    }
  }

  #runAtModuleScope(
    vm: Vm<Services>,
    { settings }: GenerationDefinition,
    kind: CallKind,
    phase: Phase,
    claim: number,
  ): Promise<unknown[]> {
    const call: VmCall = {
      claim,
      kind,
      phase,
      payload: '',
      body: '',
      requestId: '',
      allowance: {
        instructionsMax: settings.instructionsMax,
        operationsMax: 0,
        deadlineMs: performance.now() + settings.timeoutMs,
      },
    }
    return new Promise((resolve, reject) => {
      vm.run(call, (result) => {
        if (result.ok) resolve(result.values)
        else reject(new BuildError(result.code, result.message))
      })
    })
  }
}

/** init.lua failed; carries the failure code to the host. */
class BuildError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'BuildError'
    this.code = code
  }
}

/** The number under which the kernel schedules this thread; 0 where there is none to be had. */
function operatingSystemThreadId(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1)) || 0
  } catch {
    return 0
  }
}
