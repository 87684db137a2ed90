import type { LuaValue, Results } from './lua-value.js'
import type { Phase } from './phase.js'
import type { SecretGuard } from './secret-guard.js'
import type { GenerationSettings } from './settings.js'

/** Type of one argument of a host function, checked before the handler runs. */
export type ParamType = 'string' | 'number' | 'integer' | 'boolean' | 'table' | 'function' | 'any'

export interface Param {
  readonly name: string
  readonly type: ParamType
  /** An absent or nil argument is refused unless this is true. */
  readonly optional?: boolean
  /** Takes this and all further arguments; only for the last parameter. */
  readonly rest?: boolean
}

/** Which plugin, and which generation of it, a VM belongs to. */
export interface VmOwner {
  readonly plugin: string
  readonly version: string
  readonly generation: number
}

/** Something that a plugin registered at module scope: a route, a middleware, a hook. */
export interface Registration {
  /** e.g. `route`, `middleware`. */
  readonly kind: string
  /** Unique within its kind, e.g. `GET /tasks`. */
  readonly key: string
  /** What the host side needs to know of it; plain JSON. */
  readonly data: Readonly<Record<string, unknown>>
}

/** The budget of one call, as host functions see it. */
export interface CallBudget {
  /** Counts host operations before they act; raises in Lua when the call has used up its operations. */
  charge(operations: number): void
  /** Ends the call when its time is over; called before each host function, as long ones escape Lua's own count. */
  checkTime(): void
  /** True when the call is to end because others need its executor; long native work has to look. */
  readonly isEvicted: boolean
  /** How many operations are left. */
  readonly operationsLeft: number
  /** End of the call's time, on the clock of `performance.now()` of this thread. */
  readonly deadlineMs: number
}

/**
 * What a host function may see of the call that it serves. `Services` is what the executor thread was composed
 * with (its database connection and so on); the sandbox does not look inside.
 */
export interface HostCall<Services = unknown> {
  readonly owner: VmOwner
  readonly phase: Phase
  readonly requestId: string
  readonly budget: CallBudget
  readonly services: Services
  /** Limits of the generation that the VM belongs to. */
  readonly limits: GenerationSettings
  /** Finds the secrets of the plugin in what it gives to others. */
  readonly secrets: SecretGuard
  /** Values that a capability keeps for the length of one call, by its own key. */
  readonly locals: Map<string, unknown>
  /** Runs when the call ends in any way (also by a kill), last added first. */
  onEnd(cleanup: () => void): void
  /** True between `holdUntil(deadline)` and `holdUntil(undefined)`. */
  readonly isHolding: boolean
  /** Shortens the time after which the thread is terminated, while a lock is held; undefined lifts it. */
  holdUntil(deadlineMs: number | undefined): void
  /**
   * Asks the host side for something that only it can do, from an `async` function.
   *
   * @param topic Names who answers; see `SandboxOptions.answer`.
   * @param payload Anything that can be cloned; keep it flat.
   * @returns What the host answered. Rejects with a `LuaRaise` when the host refuses.
   */
  ask(topic: string, payload: unknown): Promise<unknown>
  /** Tells the host side something about the plugin that is not a result, e.g. drift of a table. */
  report(kind: string, data: Readonly<Record<string, unknown>>): void
  /** Registers a function under a kind and key; refused outside module scope. */
  register(registration: Registration, handler: number): void
  /** What has been registered so far, for duplicate and count checks. */
  readonly registrations: readonly Registration[]
}

/** One function of a Lua module, as the sandbox installs it. */
export interface HostFunction<Services = unknown> {
  readonly name: string
  /** What messages call it, for one that plugins know by another name; `name` when missing. */
  readonly title?: string
  readonly phases: readonly Phase[]
  readonly params: readonly Param[]
  /** Operations charged before the handler runs; the handler charges by itself where the cost varies. */
  readonly cost: number
  /**
   * `sync` runs to its end in the executor thread. `async` returns a promise: the Lua coroutine is suspended and
   * its VM stays checked out until the promise settles or the call's time is over.
   */
  readonly mode: 'sync' | 'async'
  handler(call: HostCall<Services>, ...args: LuaValue[]): LuaValue | Results | Promise<LuaValue | Results>
}

/** A Lua module that is installed as a frozen global. */
export interface HostModule<Services = unknown> {
  readonly name: string
  readonly functions: readonly HostFunction<Services>[]
  /** Constant members, e.g. `json.null`. */
  readonly constants?: Readonly<Record<string, LuaValue>>
  /**
   * Lua source that returns a function of (host functions by name, raw library) and gives more members, for
   * what must stay on the Lua side because it calls plugin functions (`db.transaction`).
   */
  readonly lua?: string
  /**
   * True keeps the module out of the globals: its Lua part then gives functions that call kinds push with
   * `CallSite.pushHidden`.
   */
  readonly isHidden?: boolean
}
