import { Deferred } from '../base/deferred.js'
import { executorLimits } from '../base/limits/sandbox.js'
import { ExecutorThread, type ThreadRole } from './executor-thread.js'
import type { ExecutorEnd, HostAsk, SandboxObserver } from './generation.js'
import { fail, type GenerationLoad, type InFlight } from './in-flight.js'
import { readPrelude } from './prelude-files.js'
import type { ExecutorReport, GenerationDefinition } from './protocol.js'
import { ThreadPriority } from './thread-priority.js'

export interface FleetOptions {
  /** Compiled entry file of an executor thread. */
  readonly entry: URL
  /** What the entry composes its services from; must survive structured cloning. */
  readonly composition: unknown
  /** Threads that share the work; spares come on top. */
  readonly executors: number
  /** Warm threads that wait to take the place of one that is occupied. */
  readonly spares: number
  readonly softLimits: boolean
  readonly coverage: boolean
  readonly observer: SandboxObserver
  /** Lines and measurements that executors report. */
  report(report: ExecutorReport): void
  /** Answers what code of plugins asks. */
  answer(ask: HostAsk): Promise<unknown>
}

/**
 * The executor threads: as many active ones as configured, a warm spare to take the place of one that is occupied,
 * and one thread for each plugin in quarantine.
 */
export class Fleet {
  readonly #options: FleetOptions
  readonly #priority = new ThreadPriority()
  readonly #threads = new Set<ExecutorThread>()
  /** Those of them that share the work: each call looks here. */
  #active: readonly ExecutorThread[] = []
  /** Plugins in quarantine. */
  readonly #isolated = new Set<string>()
  /** Executors of those of them that have code to run. */
  readonly #quarantine = new Map<string, ExecutorThread>()
  readonly #definitions = new Map<number, GenerationDefinition>()
  readonly #prelude = readPrelude()
  readonly #whenReady = new Deferred<void>()
  /** Threads that were lost before they were warm, since the last one that became warm. */
  #startFailures = 0
  #restartTimer: NodeJS.Timeout | undefined
  #started = 0
  #closed = false
  /** Called when calls that waited may find a place. */
  onRoom: () => void = () => undefined
  /** Called when a call of a generation waits for the host, with a VM of its thread. */
  onSuspended: (thread: ExecutorThread, generation: number) => void = () => undefined
  /** Called with calls that their thread had not started when it was lost. */
  onReturned: (calls: readonly InFlight[]) => void = () => undefined
  /** Called when a call that had overrun has ended. */
  onOverrunEnded: (call: InFlight) => void = () => undefined

  constructor(options: FleetOptions) {
    this.#options = options
    for (let count = 0; count < options.executors + options.spares; count += 1) this.#start()
  }

  /** Resolves when the first thread is warm; rejects when threads cannot start here. */
  get ready(): Promise<void> {
    return this.#whenReady.promise
  }

  get threads(): ReadonlySet<ExecutorThread> {
    return this.#threads
  }

  /** Threads that share the work at this moment. */
  get active(): readonly ExecutorThread[] {
    return this.#active
  }

  /** How many VMs of a generation are held by calls that wait for the host. */
  suspendedOf(generation: number): number {
    let count = 0
    for (const thread of this.#threads) count += thread.suspendedOf(generation)
    return count
  }

  /** How many executors fewer share the work than there should be; none is ready to step in then. */
  get missing(): number {
    return Math.max(0, this.#options.executors - this.#active.length)
  }

  /** A warm thread without work; undefined when there is none at the moment. */
  get spare(): ExecutorThread | undefined {
    return this.#withRole('spare')[0]
  }

  /** The executor of a plugin in quarantine; started when it is needed. Undefined for all other plugins. */
  quarantineOf(plugin: string): ExecutorThread | undefined {
    return this.#isolated.has(plugin) ? (this.#quarantine.get(plugin) ?? this.#confine(plugin)) : undefined
  }

  /** The executors that calls of a plugin go to at this moment. */
  placesOf(plugin: string): readonly ExecutorThread[] {
    return this.#isolated.has(plugin) ? [] : this.active
  }

  /** Makes a generation that has proved itself known to all executors, which build their VMs for it. */
  publish(definition: GenerationDefinition): void {
    this.#definitions.set(definition.id, definition)
    for (const thread of this.#threads) this.#prepare(thread, definition)
  }

  forget(generation: number, plugin: string): void {
    this.#definitions.delete(generation)
    for (const thread of this.#threads) thread.forget(generation)
    if (!this.#hasCode(plugin)) this.#dissolve(plugin, 'unloaded', 'its plugin was unloaded')
  }

  /**
   * Loads a generation in a spare thread, which serves nobody, else in any; one that is starting gets to it when it
   * is warm. False when there is none.
   */
  load(call: InFlight, load: GenerationLoad): boolean {
    const chosen = [...this.#threads].find(({ id }) => id === load.executor)
    const threads = [
      chosen,
      this.quarantineOf(call.generation.plugin),
      this.spare,
      ...this.#withRole('starting'),
      this.active[0],
    ]
    const thread = threads.find((each) => each?.hasRoom === true)
    thread?.load(call, load)
    return thread !== undefined
  }

  /** Gives a plugin an executor of its own, as long as it has code to run. */
  isolate(plugin: string): void {
    this.#isolated.add(plugin)
    if (this.#hasCode(plugin)) this.quarantineOf(plugin)
  }

  /** Lets a plugin back among the others. */
  release(plugin: string): void {
    this.#isolated.delete(plugin)
    this.#dissolve(plugin, 'released', 'the quarantine was lifted')
  }

  /** Takes a thread out of the rotation while a long call runs in it; a spare takes its place. */
  setAside(thread: ExecutorThread): void {
    this.#assign(thread, 'overrun')
    this.#promote()
  }

  /** Lowers the priority of a thread that has overrun, as soon as that is worth it. */
  lower(thread: ExecutorThread, overrunMs: number): void {
    if (thread.lowered) return
    if (!this.#priority.canRestore && overrunMs < executorLimits.lowerUnprivilegedMs) return
    thread.lowered = this.#priority.lower(thread.systemId)
  }

  /** Gives a lowered thread its priority back while its call still runs, where that is allowed. */
  raise(thread: ExecutorThread): void {
    if (thread.lowered && this.#priority.canRestore) thread.lowered = !this.#priority.restore(thread.systemId)
  }

  /** Takes a thread whose long call has ended, and that has nothing left to do, back into service, or retires it. */
  recover(thread: ExecutorThread): void {
    if (thread.inFlight.size > 0) return
    const restored = !thread.lowered || this.#priority.restore(thread.systemId)
    const wanted = this.#withRole('spare').length < executorLimits.sparesMax
    if (!restored || (!wanted && this.active.length >= this.#options.executors)) {
      this.drop(thread, 'retired', 'retired after a long call')
      return
    }
    thread.lowered = false
    this.#assign(thread, 'spare')
    this.#promote()
    this.onRoom()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#restartTimer)
    for (const thread of [...this.#threads]) this.drop(thread, 'closing', 'the host is closing')
  }

  #assign(thread: ExecutorThread, role: ThreadRole): void {
    thread.role = role
    this.#active = this.#withRole('active')
  }

  #withRole(role: ExecutorThread['role']): ExecutorThread[] {
    return [...this.#threads].filter((thread) => thread.role === role)
  }

  #prepare(thread: ExecutorThread, definition: GenerationDefinition): void {
    thread.prepare(definition, this.#vmsIn(thread, definition), thread.role === 'quarantine')
  }

  /** How many VMs of a generation a thread holds: its share, or all in quarantine. */
  #vmsIn(thread: ExecutorThread, definition: GenerationDefinition): number {
    const { vms } = definition.settings
    if (thread.role === 'quarantine') return this.#quarantine.get(definition.plugin) === thread ? vms : 0
    if (this.#isolated.has(definition.plugin)) return 0
    return thread.role === 'active' ? Math.ceil(vms / this.#options.executors) : 1
  }

  #start(): ExecutorThread {
    this.#started += 1
    const { entry, composition, softLimits, coverage } = this.#options
    const thread = new ExecutorThread(
      this.#started,
      entry,
      { composition, softLimits, coverage, prelude: this.#prelude },
      {
        ready: (ready) => this.#ready(ready),
        overrunEnded: (_thread, call) => this.onOverrunEnded(call),
        report: (report) => this.#options.report(report),
        answer: (ask) => this.#options.answer(ask),
        suspended: (where, generation) => this.onSuspended(where, generation),
        answered: () => this.onRoom(),
        lost: (lost, reason) => this.#lost(lost, reason),
      },
    )
    this.#threads.add(thread)
    // Known from the start: a call may be on its way before the thread is warm.
    for (const definition of this.#definitions.values()) thread.prepare(definition, 0, false)
    return thread
  }

  #ready(thread: ExecutorThread): void {
    if (thread.role === 'gone') return
    this.#startFailures = 0
    this.#whenReady.resolve()
    this.#options.observer.executorStarted(thread.id)
    if (thread.role === 'starting') {
      this.#priority.probe(thread.systemId)
      this.#assign(thread, 'spare')
      this.#promote()
    }
    for (const definition of this.#definitions.values()) this.#prepare(thread, definition)
    this.onRoom()
  }

  /** Fills the active places from the spares, and sees that there is a spare again. */
  #promote(): void {
    const missing = this.#options.executors - this.active.length
    for (const thread of this.#withRole('spare').slice(0, Math.max(0, missing))) {
      this.#assign(thread, 'active')
      for (const definition of this.#definitions.values()) this.#prepare(thread, definition)
    }
    const coming = this.#withRole('starting').length
    const needed =
      this.#options.executors +
      this.#options.spares -
      this.active.length -
      this.#withRole('spare').length -
      coming
    // Plugins in quarantine have a thread each: however many they are, those that are well keep theirs.
    const shared = this.#threads.size - this.#withRole('quarantine').length
    // One at a time: starting takes processor time, which is scarce when threads are.
    if (!this.#closed && needed > 0 && coming === 0 && shared < executorLimits.threadsMax) this.#startSoon()
  }

  /** Starts a thread at once, or after a pause when threads have failed to start: a broken thread entry must not spin. */
  #startSoon(): void {
    if (this.#startFailures === 0) {
      this.#start()
      return
    }
    this.#restartTimer ??= setTimeout(() => {
      this.#restartTimer = undefined
      if (!this.#closed) this.#start()
    }, this.#pauseMs())
  }

  #pauseMs(): number {
    return Math.min(
      executorLimits.restartPauseMs * 2 ** this.#startFailures,
      executorLimits.restartPauseMsMax,
    )
  }

  #lost(thread: ExecutorThread, reason: string): void {
    if (thread.role === 'gone') return
    if (!thread.wasReady) {
      this.#startFailures += 1
      if (this.#startFailures >= executorLimits.startFailuresMax) {
        this.#whenReady.reject(new Error(`executor threads cannot start: ${reason}`))
      }
    }
    this.drop(thread, 'crashed', reason)
  }

  /** Terminates a thread. Calls that it had started are lost, the others are returned for another thread. */
  drop(thread: ExecutorThread, end: ExecutorEnd, reason: string, culprit?: InFlight): void {
    const started = [...thread.inFlight.calls()].filter((call) => thread.hasStarted(call))
    const wasQuarantine = thread.role === 'quarantine'
    const calls = thread.terminate()
    this.#threads.delete(thread)
    this.#active = this.#withRole('active')
    this.#options.observer.executorLost(thread.id, reason, end)
    if (wasQuarantine) this.#restartQuarantine(thread)
    for (const call of started) {
      if (call.overrun) this.onOverrunEnded(call)
      fail(call, 'EXECUTOR_LOST', `the executor was lost: ${reason}`, call === culprit)
    }
    if (!this.#closed) this.#promote()
    this.onReturned(calls.filter((call) => !started.includes(call)))
    this.onRoom()
  }

  #hasCode(plugin: string): boolean {
    for (const definition of this.#definitions.values()) if (definition.plugin === plugin) return true
    return false
  }

  /** Turns a warm spare, else a new thread, into the executor of one plugin. */
  #confine(plugin: string): ExecutorThread | undefined {
    if (this.#closed) return undefined
    const thread = this.spare ?? this.#start()
    this.#assign(thread, 'quarantine')
    this.#quarantine.set(plugin, thread)
    for (const definition of this.#definitions.values()) this.#prepare(thread, definition)
    this.#promote()
    return thread
  }

  #dissolve(plugin: string, end: ExecutorEnd, reason: string): void {
    const thread = this.#quarantine.get(plugin)
    this.#quarantine.delete(plugin)
    if (thread !== undefined && thread.role !== 'gone') this.drop(thread, end, reason)
  }

  /** The plugin of a lost quarantine thread gets another one, after a pause when threads cannot start. */
  #restartQuarantine(thread: ExecutorThread): void {
    for (const [plugin, own] of this.#quarantine) {
      if (own !== thread) continue
      this.#quarantine.delete(plugin)
      if (!this.#hasCode(plugin)) continue
      if (this.#startFailures === 0) this.quarantineOf(plugin)
      else setTimeout(() => this.quarantineOf(plugin), this.#pauseMs())
    }
  }
}
