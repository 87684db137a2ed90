import type { KvMessage } from '../kv.js'

type HeldMessage = Pick<KvMessage, 'id' | 'lease'>

/** Knows which messages of streams wait for an answer, wherever that comes in. */
export class MessageHolds {
  readonly #holds = new Map<string, Hold>()

  /** Makes the counter of one stream that gives out `max` messages before it waits for answers. */
  counter(max: number): HoldCounter {
    return new HoldCounter(max, this.#holds)
  }

  /** Tells that a message was acknowledged or given back. */
  answered(message: HeldMessage): void {
    this.#holds.get(nameOf(message))?.release()
  }

  /** Tells that a message is held for this long from now. */
  extended(message: HeldMessage, leaseMs: number): void {
    this.#holds.get(nameOf(message))?.extend(leaseMs)
  }
}

/** Counts the messages that one stream has given out and that nobody has answered for, until their leases end. */
export class HoldCounter {
  readonly #max: number
  readonly #all: Map<string, Hold>
  readonly #own = new Set<Hold>()
  #wake: () => void = () => {}

  constructor(max: number, all: Map<string, Hold>) {
    this.#max = max
    this.#all = all
  }

  /** Resolves when one more message can be given out, and when the signal is aborted. */
  async room(signal: AbortSignal): Promise<void> {
    if (this.#own.size < this.#max || signal.aborted) return
    await new Promise<void>((resolve) => {
      this.#wake = () => {
        signal.removeEventListener('abort', this.#wake)
        resolve()
      }
      signal.addEventListener('abort', this.#wake, { once: true })
    })
  }

  /** Counts a message until somebody answers for it. */
  add(message: KvMessage, leaseMs: number): void {
    const name = nameOf(message)
    const hold = new Hold(leaseMs, () => {
      this.#all.delete(name)
      this.#own.delete(hold)
      this.#wake()
    })
    this.#all.set(name, hold)
    this.#own.add(hold)
  }

  /** Forgets the messages of a stream that has ended. */
  close(): void {
    for (const hold of [...this.#own]) hold.release()
  }
}

class Hold {
  readonly release: () => void
  #timer: NodeJS.Timeout

  constructor(leaseMs: number, released: () => void) {
    this.release = () => {
      clearTimeout(this.#timer)
      released()
    }
    this.#timer = setTimeout(this.release, leaseMs)
  }

  extend(leaseMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.release, leaseMs)
  }
}

function nameOf({ id, lease }: HeldMessage): string {
  return `${id} ${lease}`
}
