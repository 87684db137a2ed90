import type { Clock } from '../base/clock.js'
import { executorLimits } from '../base/limits/sandbox.js'
import type {
  CallFailureCode,
  CallOutcome,
  CallRequest,
  Finding,
  Generation,
  Inspection,
  PoolState,
  PoolStatus,
} from './generation.js'
import type { InFlight, Placeable } from './in-flight.js'
import type { GenerationDefinition } from './protocol.js'
import { Reputation } from './reputation.js'

export interface PooledGenerationOptions {
  readonly definition: GenerationDefinition
  readonly inspection: Inspection
  /** Grows while the generation runs. */
  readonly findings: readonly Finding[]
  readonly clock: Clock
  dispatch(call: InFlight): void
  budgetKilled(code: CallFailureCode): void
  /** Is told of each call that has run how long it waited for its turn. */
  waited(kind: string, waitedMs: number): void
  /** How many VMs are held by calls that wait for the host. */
  suspended(): number
  forget(): void
}

const budgetCodes: readonly CallFailureCode[] = ['TIMEOUT', 'INSTRUCTIONS', 'MEMORY']

/** Nobody waits in front of a screen for on_init and on_shutdown: they take their time for a VM. */
function waitMs({ phase }: CallRequest, timeoutMs: number): number {
  return phase === 'init' || phase === 'shutdown' ? timeoutMs : executorLimits.checkoutWaitMs
}

/** One generation as its owner sees it: counts its calls and refuses them once it is draining. */
export class PooledGeneration implements Generation {
  readonly id: number
  readonly plugin: string
  readonly version: string
  readonly inspection: Inspection
  readonly findings: readonly Finding[]
  readonly #options: PooledGenerationOptions
  readonly #placeable: Placeable
  /** Calls that have not ended, in no order. */
  readonly #pending: InFlight[] = []
  #state: PoolState = 'open'
  #drained: (() => void) | undefined

  constructor(options: PooledGenerationOptions) {
    const { definition } = options
    this.#options = options
    this.id = definition.id
    this.plugin = definition.plugin
    this.version = definition.version
    this.inspection = options.inspection
    this.findings = options.findings
    this.#placeable = {
      id: definition.id,
      plugin: definition.plugin,
      slots: definition.settings.vms,
      reservedSlots: definition.settings.reservedVms,
      held: 0,
      reputation: new Reputation(),
    }
  }

  call(request: CallRequest): Promise<CallOutcome> {
    return new Promise((resolve) => {
      // on_shutdown runs while the generation drains.
      if (this.#state === 'closed' || (this.#state === 'draining' && request.phase !== 'shutdown')) {
        resolve({ ok: false, code: 'CLOSED', message: 'the plugin is being unloaded', blamed: false })
        return
      }
      const { settings } = this.#options.definition
      const nowMs = this.#options.clock()
      const call: InFlight = {
        generation: this.#placeable,
        request,
        load: undefined,
        dispatchedAtMs: nowMs,
        waitsUntilMs: nowMs + waitMs(request, settings.timeoutMs),
        deadlineMs: nowMs + (request.timeoutMs ?? settings.timeoutMs),
        operationsMax: request.operationsMax ?? settings.operationsMax,
        overrun: false,
        evictedAtMs: Number.NEGATIVE_INFINITY,
        startedAtMs: 0,
        claim: -1,
        queue: undefined,
        previous: undefined,
        next: undefined,
        place: -1,
        resolve: (outcome) => {
          this.#ended(call, outcome)
          resolve(outcome)
        },
      }
      call.place = this.#pending.push(call) - 1
      this.#placeable.reputation.noteCall(nowMs)
      this.#options.dispatch(call)
    })
  }

  status(): PoolStatus {
    const { vms } = this.#options.definition.settings
    const taken = this.#placeable.held + this.#options.suspended()
    return {
      state: this.#state,
      vmsTotal: vms,
      vmsAvailable: this.#state === 'closed' ? 0 : Math.max(0, vms - taken),
      callsInFlight: this.#pending.length,
    }
  }

  async drain(): Promise<boolean> {
    if (this.#state === 'open') this.#state = 'draining'
    if (this.#pending.length === 0) return true
    let timer: NodeJS.Timeout | undefined
    const drained = new Promise<boolean>((resolve) => {
      this.#drained = () => resolve(true)
      timer = setTimeout(() => resolve(false), executorLimits.drainMs)
    })
    const result = await drained
    clearTimeout(timer)
    return result
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    for (const call of [...this.#pending]) {
      call.resolve({ ok: false, code: 'CLOSED', message: 'the plugin was unloaded', blamed: false })
    }
    this.#options.forget()
  }

  #ended(call: InFlight, outcome: CallOutcome): void {
    if (call.place < 0) return
    const last = this.#pending.pop()
    if (last !== undefined && last !== call) {
      this.#pending[call.place] = last
      last.place = call.place
    }
    call.place = -1
    if (call.startedAtMs > 0 && call.request !== undefined) {
      this.#options.waited(call.request.kind, call.startedAtMs - call.dispatchedAtMs)
    }
    if (!outcome.ok && budgetCodes.includes(outcome.code)) this.#options.budgetKilled(outcome.code)
    if (this.#pending.length === 0) this.#drained?.()
  }
}
