import type { CallFailureCode, HostAsk } from './generation.js'
import type { CallBudget, HostCall, Registration, VmOwner } from './host-function.js'
import { LuaRaise } from './lua-value.js'
import type { Phase } from './phase.js'
import { SecretGuard } from './secret-guard.js'
import type { GenerationSettings } from './settings.js'

/** A result that cannot be given to the host, with the code that the call fails with. */
export class ResultError extends LuaRaise {
  readonly code: CallFailureCode

  constructor(code: CallFailureCode, message: string) {
    super(message)
    this.name = 'ResultError'
    this.code = code
  }
}

/** What a VM tells the thread that it runs in. */
export interface VmSignals {
  /** See `HostCall.report`. */
  report(kind: string, data: Readonly<Record<string, unknown>>): void
  /** See `HostCall.ask`. */
  ask(ask: Omit<HostAsk, 'plugin' | 'version' | 'generation'>): Promise<unknown>
  /** See `HostCall.holdUntil`. */
  holdUntil(deadlineMs: number | undefined): void
}

const none: readonly number[] = []

/** The call in progress as host functions see it; one object per VM, started anew for each call. */
export class CallContext<Services> implements HostCall<Services> {
  readonly owner: VmOwner
  readonly limits: GenerationSettings
  readonly secrets: SecretGuard
  readonly services: Services
  readonly #signals: VmSignals
  readonly #registrations: Registration[] = []
  readonly #handlers = new Map<string, Map<string, number>>()
  readonly #ordered = new Map<string, number[]>()
  #budget: CallBudget | undefined
  #phase: Phase = 'module'
  #requestId = ''
  #locals: Map<string, unknown> | undefined
  #cleanups: (() => void)[] = []
  #active = false
  #holding = false
  /** Why the call failed, where that is more than a Lua error. */
  failureCode: CallFailureCode | undefined

  constructor(owner: VmOwner, limits: GenerationSettings, services: Services, signals: VmSignals) {
    this.owner = owner
    this.limits = limits
    this.secrets = new SecretGuard(limits.secrets ?? {})
    this.services = services
    this.#signals = signals
  }

  useBudget(budget: CallBudget): void {
    this.#budget = budget
  }

  start(phase: Phase, requestId: string): void {
    this.#phase = phase
    this.#requestId = requestId
    this.#active = true
    this.failureCode = undefined
  }

  /** Runs what was to happen at the end of the call; one failing cleanup does not keep the others from running. */
  end(): void {
    this.#active = false
    this.#holding = false
    this.#locals = undefined
    if (this.#cleanups.length === 0) return
    const cleanups = this.#cleanups.reverse()
    this.#cleanups = []
    for (const cleanup of cleanups) {
      try {
        cleanup()
      } catch (error) {
        this.report('internal_error', { message: String(error) })
      }
    }
  }

  /** Hears of everything that becomes a Lua error, before it does. */
  noteFailure(thrown: unknown): void {
    if (thrown instanceof ResultError) this.failureCode = thrown.code
    else if (!(thrown instanceof LuaRaise)) {
      this.report('internal_error', {
        message: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
      })
    }
  }

  get phase(): Phase {
    return this.#phase
  }

  get requestId(): string {
    return this.#requestId
  }

  get budget(): CallBudget {
    if (this.#budget === undefined || !this.#active) throw new LuaRaise('no call is in progress')
    return this.#budget
  }

  get locals(): Map<string, unknown> {
    this.#locals ??= new Map()
    return this.#locals
  }

  get registrations(): readonly Registration[] {
    return this.#registrations
  }

  onEnd(cleanup: () => void): void {
    this.#cleanups.push(cleanup)
  }

  /** True while a lock is held: nothing may make the call wait then. */
  get isHolding(): boolean {
    return this.#holding
  }

  holdUntil(deadlineMs: number | undefined): void {
    this.#holding = deadlineMs !== undefined
    this.#signals.holdUntil(deadlineMs)
  }

  ask(topic: string, payload: unknown): Promise<unknown> {
    const timeLeftMs = Math.max(0, this.budget.deadlineMs - performance.now())
    return this.#signals.ask({ topic, phase: this.#phase, requestId: this.#requestId, timeLeftMs, payload })
  }

  report(kind: string, data: Readonly<Record<string, unknown>>): void {
    this.#signals.report(kind, data)
  }

  register(registration: Registration, handler: number): void {
    if (this.#phase !== 'module' && this.#phase !== 'manifest') {
      throw new LuaRaise(`a ${registration.kind} must be registered at module scope, not in on_init or later`)
    }
    this.#registrations.push(registration)
    const handlers = this.#handlers.get(registration.kind) ?? new Map<string, number>()
    handlers.set(registration.key, handler)
    this.#handlers.set(registration.kind, handlers)
    const ordered = this.#ordered.get(registration.kind)
    if (ordered === undefined) this.#ordered.set(registration.kind, [handler])
    else ordered.push(handler)
  }

  handlerOf(kind: string, key: string): number | undefined {
    return this.#handlers.get(kind)?.get(key)
  }

  handlersOf(kind: string): readonly number[] {
    return this.#ordered.get(kind) ?? none
  }
}
