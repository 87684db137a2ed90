import { executorLimits } from '../base/limits/sandbox.js'

/**
 * Life of a claim, one per call in flight. Whoever exchanges `offered` first wins, so a call is either run by the
 * executor or taken back by the supervisor, never both:
 *
 *   free ─▶ offered ─┬─▶ claimed ─▶ free      the executor runs the call
 *                    └─▶ revoked ─▶ free      the supervisor took it back; the executor skips the message
 */
export const claimState = { free: 0, offered: 1, claimed: 2, revoked: 3 } as const

/** What the thread is doing. */
export interface Activity {
  /** Claim of the running call; -1 while it builds a VM ahead of calls; undefined while it is idle. */
  readonly claim: number | undefined
  /** Generation whose code runs. */
  readonly generation: number
  /** Changes with every start. */
  readonly sequence: number
  readonly sinceMs: number
  /** After this and a grace the thread is stuck. */
  readonly deadlineMs: number
}

const activityWord = 0
const generationWord = 1
const sequenceWord = 2
const buildsWord = 3
const paceWord = 4
const evictWord = 5
const receivedWord = 6
const headerWords = 7
const sinceDouble = 0
const deadlineDouble = 1
const doublesBytes = 16
const startsBytes = executorLimits.claimsMax * Float64Array.BYTES_PER_ELEMENT

/** The memory that an executor and the host share: what runs, since when, until when, and the claim of each call. */
export class SharedState {
  readonly buffer: SharedArrayBuffer
  readonly #doubles: Float64Array
  /** When the call of each claim began to run; 0 until it does. */
  readonly #starts: Float64Array
  readonly #words: Int32Array

  constructor(buffer?: SharedArrayBuffer) {
    this.buffer =
      buffer ??
      new SharedArrayBuffer(
        doublesBytes + startsBytes + (headerWords + executorLimits.claimsMax) * Int32Array.BYTES_PER_ELEMENT,
      )
    this.#doubles = new Float64Array(this.buffer, 0, 2)
    this.#starts = new Float64Array(this.buffer, doublesBytes, executorLimits.claimsMax)
    this.#words = new Int32Array(this.buffer, doublesBytes + startsBytes)
  }

  /** The executor starts work for a generation; times are of the monotonic clock. */
  begin(claim: number, generation: number, nowMs: number, deadlineMs: number): void {
    this.#doubles[sinceDouble] = nowMs
    this.#doubles[deadlineDouble] = deadlineMs
    // A call that goes on after it was suspended has begun before.
    if (claim >= 0 && this.#starts[claim] === 0) this.#starts[claim] = nowMs
    Atomics.store(this.#words, generationWord, generation)
    Atomics.add(this.#words, sequenceWord, 1)
    Atomics.store(this.#words, activityWord, claim + 2)
  }

  /** The executor moves the time after which it counts as stuck. */
  setDeadline(deadlineMs: number): void {
    this.#doubles[deadlineDouble] = deadlineMs
  }

  end(): void {
    Atomics.store(this.#words, activityWord, 0)
  }

  activity(): Activity {
    const word = Atomics.load(this.#words, activityWord)
    return {
      claim: word === 0 ? undefined : word - 2,
      generation: Atomics.load(this.#words, generationWord),
      sequence: Atomics.load(this.#words, sequenceWord),
      sinceMs: this.#doubles[sinceDouble] as number,
      deadlineMs: this.#doubles[deadlineDouble] as number,
    }
  }

  /** The executor starts (1) or ends (-1) building a VM, which takes some milliseconds without running plugin code. */
  countBuilds(change: 1 | -1): void {
    Atomics.add(this.#words, buildsWord, change)
  }

  /** True while the thread builds a VM. */
  get isBuilding(): boolean {
    return Atomics.load(this.#words, buildsWord) > 0
  }

  /** True while the thread has been at one piece of work for longer than the given time. */
  isBusySince(limitMs: number, nowMs: number): boolean {
    return (
      Atomics.load(this.#words, activityWord) !== 0 &&
      nowMs - (this.#doubles[sinceDouble] as number) > limitMs
    )
  }

  /** Orders the work with this sequence number to end; harmless when it has ended meanwhile. */
  evict(sequence: number): void {
    Atomics.store(this.#words, evictWord, sequence)
    Atomics.notify(this.#words, paceWord)
  }

  /** True when the running work shall end. */
  get isEvicted(): boolean {
    return Atomics.load(this.#words, evictWord) === Atomics.load(this.#words, sequenceWord)
  }

  /** The executor has taken a message of the host. */
  countReceived(): void {
    Atomics.add(this.#words, receivedWord, 1)
  }

  /** How many messages of the host the executor has taken, as a number of 32 bits that wraps around. */
  get received(): number {
    return Atomics.load(this.#words, receivedWord)
  }

  /** Sets how long the running code rests after each short run; 0 lets it run on. */
  setPace(restMs: number): void {
    Atomics.store(this.#words, paceWord, restMs)
  }

  /** How long the running code shall rest after each short run. */
  get restMs(): number {
    return Atomics.load(this.#words, paceWord)
  }

  /** Blocks the executor for as long as the supervisor wants it to rest. */
  rest(restMs: number): void {
    Atomics.wait(this.#words, paceWord, restMs, restMs)
  }

  offer(claim: number): void {
    this.#starts[claim] = 0
    Atomics.store(this.#words, headerWords + claim, claimState.offered)
  }

  /** When the call of a claim began to run, on the monotonic clock; 0 when it has not. */
  startedMs(claim: number): number {
    return this.#starts[claim] as number
  }

  /** The executor takes a call; false when the supervisor has taken it back. */
  claim(claim: number): boolean {
    return this.#exchange(claim, claimState.claimed)
  }

  /** The supervisor takes a call back; false when the executor has it already. */
  revoke(claim: number): boolean {
    return this.#exchange(claim, claimState.revoked)
  }

  #exchange(claim: number, to: number): boolean {
    const { offered } = claimState
    return Atomics.compareExchange(this.#words, headerWords + claim, offered, to) === offered
  }

  release(claim: number): void {
    Atomics.store(this.#words, headerWords + claim, claimState.free)
  }

  isFree(claim: number): boolean {
    return Atomics.load(this.#words, headerWords + claim) === claimState.free
  }

  isOffered(claim: number): boolean {
    return Atomics.load(this.#words, headerWords + claim) === claimState.offered
  }
}
