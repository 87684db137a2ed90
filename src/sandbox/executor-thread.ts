import { Worker } from 'node:worker_threads'
import { HostError } from '../base/errors.js'
import { executorLimits } from '../base/limits/sandbox.js'
import type { CallRequest, HostAsk } from './generation.js'
import { CallQueue, type GenerationLoad, type InFlight } from './in-flight.js'
import {
  type Batch,
  type ExecutorData,
  type ExecutorReport,
  executorItem,
  type GenerationDefinition,
  hostItem,
} from './protocol.js'
import { type Activity, SharedState } from './shared-state.js'

/**
 * What the fleet does with a thread:
 *
 *   starting ─▶ spare ─▶ active ─▶ overrun ─▶ spare | active      a call ran long; it gets no more until it ends
 *                 └────────┴───────────┴─────▶ gone               terminated, lost or retired
 *
 * A `quarantine` thread serves one plugin only and is never handed over.
 */
export type ThreadRole = 'starting' | 'spare' | 'active' | 'overrun' | 'quarantine' | 'gone'

/** What a thread tells the fleet. */
export interface ThreadEvents {
  ready(thread: ExecutorThread): void
  /** A call that had overrun has ended. */
  overrunEnded(thread: ExecutorThread, call: InFlight): void
  report(report: ExecutorReport): void
  /** Code in the thread asks the host; a `HostError` is shown to it, the text of any other error is not. */
  answer(ask: HostAsk): Promise<unknown>
  /** A call of a generation waits for the answer, with its VM. */
  suspended(thread: ExecutorThread, generation: number): void
  /** A suspended call goes on, and will end. */
  answered(): void
  /** The thread ended without being asked to. */
  lost(thread: ExecutorThread, reason: string): void
}

const flushAtItems = 8

/** The host's handle of one executor thread: its calls in flight, its outgoing batch, its shared memory. */
export class ExecutorThread {
  readonly id: number
  readonly shared = new SharedState()
  role: ThreadRole = 'starting'
  /** True once the thread has been warm. */
  wasReady = false
  /** Thread number of the operating system; 0 until it is known. */
  systemId = 0
  /** True while the thread runs at the lowest priority. */
  lowered = false
  readonly #worker: Worker
  readonly #events: ThreadEvents
  readonly #calls: (InFlight | undefined)[] = []
  readonly #freeClaims: number[] = []
  readonly #revokedClaims: number[] = []
  /** Calls in flight in the order of their dispatch. */
  readonly inFlight = new CallQueue()
  /** Loads of generations that have been sent here and not been answered. */
  #loads = 0
  /** How many calls of each generation are suspended here, with their VM, until the host has answered. */
  readonly #suspended = new Map<number, number>()
  #batch: unknown[] = []
  #items = 0
  /** Messages sent, as a number of 32 bits that wraps around. */
  #sent = 0
  /** Number of the work that the supervisor last saw here. */
  #seenSequence = 0
  #flushScheduled = false

  constructor(id: number, entry: URL, data: Omit<ExecutorData, 'shared'>, events: ThreadEvents) {
    this.id = id
    this.#events = events
    for (let claim = executorLimits.claimsMax - 1; claim >= 0; claim -= 1) this.#freeClaims.push(claim)
    this.#worker = new Worker(entry, {
      workerData: { ...data, shared: this.shared.buffer } satisfies ExecutorData,
      resourceLimits: {
        maxOldGenerationSizeMb: executorLimits.heapMegabytesMax,
        maxYoungGenerationSizeMb: executorLimits.youngHeapMegabytesMax,
      },
      stdout: false,
      stderr: false,
    })
    this.#worker.on('message', (batch: Batch) => this.#receive(batch))
    this.#worker.on('error', (error) => events.lost(this, error.message))
    this.#worker.on('exit', (code) => events.lost(this, `exited with code ${code}`))
  }

  /** True when the thread can take one more call. */
  get hasRoom(): boolean {
    return this.#freeClaims.length > 0 || this.#reclaim()
  }

  /**
   * Makes a generation known and has VMs built for it, at once or when it is quiet; harmless when it is known
   * already.
   */
  prepare(definition: GenerationDefinition, vms: number, atOnce: boolean): void {
    this.#send(hostItem.define, definition)
    if (vms > 0) this.#send(hostItem.prepare, definition.id, vms, atOnce)
  }

  forget(generation: number): void {
    this.#send(hostItem.forget, generation)
  }

  load(call: InFlight, { definition, phase }: GenerationLoad): void {
    this.#send(hostItem.define, definition)
    this.#send(hostItem.load, this.#offer(call), definition.id, phase)
    this.#loads += 1
  }

  call(call: InFlight, request: CallRequest): void {
    this.#send(
      hostItem.call,
      this.#offer(call),
      call.generation.id,
      request.kind,
      request.phase,
      request.payload,
      request.body,
      request.requestId,
      call.deadlineMs,
      call.operationsMax,
    )
  }

  /** True while the thread builds a VM, or is about to: what it was sent to load comes before further calls. */
  get isBuilding(): boolean {
    return this.#loads > 0 || this.shared.isBuilding
  }

  /**
   * To be asked at each look: true when the thread has started nothing since the last one, because it is in the middle
   * of a call, or has had no turn to take the messages that wait for it.
   */
  stoodStill({ claim, sequence }: Activity): boolean {
    const isSame = sequence === this.#seenSequence
    this.#seenSequence = sequence
    return isSame && (claim !== undefined || this.shared.received !== this.#sent)
  }

  /** How long the oldest call in flight has been on its way; 0 when there is none. */
  oldestMs(nowMs: number): number {
    const { first } = this.inFlight
    return first === undefined ? 0 : nowMs - first.dispatchedAtMs
  }

  /** The call that a claim stands for. */
  callOf(claim: number): InFlight | undefined {
    return this.#calls[claim]
  }

  /** How many VMs of a generation are held by calls that wait for the host. */
  suspendedOf(generation: number): number {
    return this.#suspended.get(generation) ?? 0
  }

  /** Takes a call back that the executor has not started; false when it has. */
  revoke(call: InFlight): boolean {
    const { claim } = call
    if (!this.inFlight.has(call) || !this.shared.revoke(claim)) return false
    // The number is free again only when the executor has skipped the message that still carries it.
    this.#revokedClaims.push(claim)
    this.#calls[claim] = undefined
    this.#left(call)
    return true
  }

  /** Stops the thread at once, whatever it does, and gives the calls that were in flight. */
  terminate(): readonly InFlight[] {
    this.role = 'gone'
    void this.#worker.terminate()
    const calls = [...this.inFlight.calls()]
    for (const call of calls) this.inFlight.delete(call)
    return calls
  }

  /** True when the executor had started a call that is still in flight. */
  hasStarted(call: InFlight): boolean {
    return this.inFlight.has(call) && !this.shared.isOffered(call.claim)
  }

  flush(): void {
    if (this.#batch.length === 0 || this.role === 'gone') return
    const batch = this.#batch
    this.#batch = []
    this.#items = 0
    this.#sent = (this.#sent + 1) | 0
    this.#worker.postMessage(batch)
  }

  #offer(call: InFlight): number {
    const claim = this.#freeClaims.pop()
    if (claim === undefined) throw new Error('the executor has no free claim')
    this.shared.offer(claim)
    this.#calls[claim] = call
    call.claim = claim
    this.inFlight.add(call)
    return claim
  }

  #left(call: InFlight): void {
    this.inFlight.delete(call)
    if (call.load !== undefined) this.#loads -= 1
  }

  #reclaim(): boolean {
    for (let at = this.#revokedClaims.length - 1; at >= 0; at -= 1) {
      const claim = this.#revokedClaims[at] as number
      if (!this.shared.isFree(claim)) continue
      this.#revokedClaims.splice(at, 1)
      this.#freeClaims.push(claim)
    }
    return this.#freeClaims.length > 0
  }

  /** Requests of one turn of the event loop travel together. */
  #send(...item: unknown[]): void {
    this.#batch.push(...item)
    this.#items += 1
    if (this.#items >= flushAtItems) this.flush()
    else if (!this.#flushScheduled) {
      this.#flushScheduled = true
      setImmediate(() => {
        this.#flushScheduled = false
        this.flush()
      })
    }
  }

  #receive(batch: Batch): void {
    let at = 0
    while (at < batch.length) {
      switch (batch[at]) {
        case executorItem.done: {
          const end = at + 3 + (batch[at + 2] as number)
          this.#settle(batch[at + 1] as number)?.resolve({ ok: true, result: batch.slice(at + 3, end) })
          at = end
          break
        }
        case executorItem.failed: {
          const code = batch[at + 2] as Extract<Parameters<InFlight['resolve']>[0], { ok: false }>['code']
          const message = batch[at + 3] as string
          this.#settle(batch[at + 1] as number)?.resolve({ ok: false, code, message, blamed: false })
          at += 4
          break
        }
        case executorItem.ready:
          this.systemId = batch[at + 1] as number
          this.wasReady = true
          this.#events.ready(this)
          at += 2
          break
        case executorItem.ask:
          void this.#answer(batch[at + 1] as number, batch[at + 2] as HostAsk)
          at += 3
          break
        default:
          this.#events.report({
            kind: batch[at + 1] as string,
            plugin: batch[at + 2] as string,
            generation: batch[at + 3] as number,
            data: batch[at + 4],
          })
          at += 5
      }
    }
  }

  async #answer(question: number, ask: HostAsk): Promise<void> {
    this.#countSuspended(ask.generation, 1)
    this.#events.suspended(this, ask.generation)
    try {
      this.#send(hostItem.answer, question, true, await this.#events.answer(ask))
    } catch (error) {
      const message =
        error instanceof HostError ? error.message : 'the host could not answer; its log says why'
      this.#send(hostItem.answer, question, false, message)
    } finally {
      this.#countSuspended(ask.generation, -1)
      this.#events.answered()
    }
  }

  #countSuspended(generation: number, change: 1 | -1): void {
    const count = this.suspendedOf(generation) + change
    if (count === 0) this.#suspended.delete(generation)
    else this.#suspended.set(generation, count)
  }

  /** Frees the claim of an ended call. */
  #settle(claim: number): InFlight | undefined {
    const call = this.#calls[claim]
    if (call === undefined) return undefined
    this.#calls[claim] = undefined
    this.#left(call)
    call.startedAtMs = this.shared.startedMs(claim)
    this.shared.release(claim)
    this.#freeClaims.push(claim)
    if (call.overrun) this.#events.overrunEnded(this, call)
    return call
  }
}
