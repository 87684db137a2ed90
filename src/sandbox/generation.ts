import type { Registration } from './host-function.js'
import type { LuaObject } from './lua-value.js'
import type { Phase } from './phase.js'
import type { GenerationSettings } from './settings.js'

export type { GenerationSettings } from './settings.js'

/** The Lua files of one plugin as they were read, once: what is hashed is what runs. */
export interface PluginSource {
  /** Name of the folder; how errors name the plugin before its manifest is read. */
  readonly folder: string
  /** Text of each file by its path inside the folder, e.g. `init.lua`, `lib/validate.lua`. */
  readonly files: ReadonlyMap<string, string>
}

/** What a plugin says of itself at module scope. */
export interface Inspection {
  /** The global `plugin_info` as it is after init.lua has run; undefined when it is not a table. */
  readonly pluginInfo: LuaObject | undefined
  readonly hasOnInit: boolean
  readonly hasOnShutdown: boolean
  readonly registrations: readonly Registration[]
}

/** The cause of a failed inspection whose init.lua had set `plugin_info` before it failed. */
export class UnfinishedLoad extends Error {
  readonly pluginInfo: LuaObject | undefined

  constructor(pluginInfo: LuaObject | undefined) {
    super('init.lua did not get to its end')
    this.name = 'UnfinishedLoad'
    this.pluginInfo = pluginInfo
  }
}

/** Why a call did not end with a result. */
export type CallFailureCode =
  | 'ERROR' // Lua raised, or the result could not be encoded
  | 'TIMEOUT' // the call's time ran out
  | 'INSTRUCTIONS' // the call's instructions ran out
  | 'MEMORY' // the VM's memory ran out
  | 'RESULT_TOO_LARGE'
  | 'SECRET_IN_RESPONSE' // the result has a secret of the plugin
  | 'POOL_EXHAUSTED' // no VM within 100 ms
  | 'EVICTED' // the call had overrun, and others needed its executor
  | 'EXECUTOR_LOST' // the thread was terminated under the call
  | 'CLOSED' // the generation is draining or closed

export interface CallFailure {
  readonly ok: false
  readonly code: CallFailureCode
  /** Lua text with its position, for logs only. */
  readonly message: string
  /** True when this call is what made the supervisor terminate a thread. */
  readonly blamed: boolean
}

export interface CallSuccess {
  readonly ok: true
  /** What the call kind encoded, flat. */
  readonly result: readonly unknown[]
}

export type CallOutcome = CallSuccess | CallFailure

/** One call into a generation. */
export interface CallRequest {
  /** Name of a call kind that the executor knows: `http`, `lifecycle`. */
  readonly kind: string
  readonly phase: Phase
  /** What the kind's encoder made of the arguments: texts and byte strings, flat. */
  readonly payload: string
  /** Bytes that travel beside the payload, as a Latin-1 string; empty when there are none. */
  readonly body: string
  readonly requestId: string
  readonly timeoutMs?: number
  readonly operationsMax?: number
  /** May also use the reserved VMs. */
  readonly reserved?: boolean
}

/** Something that code of a plugin asks of the host while its call is suspended. */
export interface HostAsk {
  readonly plugin: string
  readonly version: string
  readonly generation: number
  /** Names who answers, e.g. `request.send`. */
  readonly topic: string
  /** Of the call that asks. */
  readonly phase: Phase
  readonly requestId: string
  /** How long the call has at the most; nobody waits for an answer that comes later. */
  readonly timeLeftMs: number
  readonly payload: unknown
}

export type PoolState = 'open' | 'draining' | 'closed'

export interface PoolStatus {
  readonly state: PoolState
  readonly vmsTotal: number
  /** VMs that no call holds for longer than a short turn: neither one that has overrun nor one that is suspended. */
  readonly vmsAvailable: number
  /** Calls that have been handed over and not answered. */
  readonly callsInFlight: number
}

/** Something that was found out about a generation while it ran; see `HostCall.report`. */
export interface Finding {
  readonly kind: string
  readonly data: unknown
}

/** One immutable generation of a plugin: its VMs and what it registered. */
export interface Generation {
  readonly id: number
  readonly plugin: string
  readonly version: string
  readonly inspection: Inspection
  /** What has been found out about it so far. */
  readonly findings: readonly Finding[]
  call(request: CallRequest): Promise<CallOutcome>
  status(): PoolStatus
  /** Refuses new calls and waits for those in flight, at most `executorLimits.drainMs`. Resolves to false on a timeout. */
  drain(): Promise<boolean>
  /** Drops the VMs; calls still in flight answer `CLOSED`. */
  close(): Promise<void>
}

/** Why an executor thread ended; all but the last two are the fleet's own doing. */
export type ExecutorEnd = 'closing' | 'retired' | 'unloaded' | 'released' | 'hard_stop' | 'crashed'

/** What the sandbox tells its owner; every member has a no-op default. */
export interface SandboxObserver {
  /** A thread was terminated because of a call of this plugin. */
  hardStopped(plugin: string, reason: string): void
  executorStarted(id: number): void
  executorLost(id: number, reason: string, end: ExecutorEnd): void
  vmBuilt(plugin: string, durationMs: number): void
  vmRetired(plugin: string, reason: string): void
  budgetKilled(plugin: string, code: CallFailureCode): void
  /** A call has run; it had waited this long between its dispatch and its first instruction. */
  callWaited(plugin: string, kind: string, waitedMs: number): void
}

/** The host side of the sandbox: executor threads and the generations that run in them. */
export interface Sandbox {
  /** Resolves when plugin code can run; rejects when executor threads cannot start. */
  ready(): Promise<void>
  /**
   * Runs init.lua in the real environment with nothing that has an effect, and reads the manifest.
   * Rejects with `SANDBOX_LOAD_FAILED` (message for the author, with the Lua line) when it does not compile, raises
   * or runs out of a budget. Without `settings.configuration` the cause of a rejection is an `UnfinishedLoad` when it
   * raised behind its `plugin_info`.
   */
  inspect(source: PluginSource, settings: GenerationSettings): Promise<Inspection>
  /**
   * Builds the VMs of a new generation; rejects as `inspect` does, which comes first: it tries the code where it
   * delays nobody. `on_init` is the caller's to run.
   */
  createGeneration(
    plugin: string,
    version: string,
    source: PluginSource,
    settings: GenerationSettings,
  ): Promise<Generation>
  /** Confines a plugin, in all its generations, to an executor of its own, or lifts that. */
  setQuarantine(plugin: string, quarantined: boolean): void
  isQuarantined(plugin: string): boolean
  /**
   * Does work of the host that calls may have to wait for, e.g. because it holds the lock of the database. Meanwhile calls
   * that find no VM wait as they do for an executor that stands still, and do not fail because all VMs wait as well.
   */
  whileHeld<Result>(work: () => Promise<Result>): Promise<Result>
  close(): Promise<void>
}
