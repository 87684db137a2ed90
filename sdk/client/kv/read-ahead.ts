import { wholeNumber } from './options.js'
import type { KvBatch, KvChange } from './watch-types.js'
import { keyText } from './wire.js'

type Overflow = 'drop-oldest' | 'drop-newest'

/**
 * Reads batches ahead of their reader, who gets what has come since as one batch.
 *
 * @param size Changes that wait at most, at least 1; of each key only the newest waits. Resets are not dropped: they
 *   are waited for, as a part of one would tell that the rest was deleted.
 */
export async function* readAhead(
  batches: AsyncGenerator<KvBatch>,
  size: number,
  overflow: Overflow,
): AsyncGenerator<KvBatch> {
  wholeNumber(size, 'bufferSize')
  const buffer = new ChangeBuffer(size, overflow)
  const pumping = pump(batches, buffer)
  try {
    for (let batch = await buffer.take(); batch !== undefined; batch = await buffer.take()) yield batch
    await pumping
  } finally {
    buffer.close()
    await batches.return(undefined)
  }
}

async function pump(batches: AsyncGenerator<KvBatch>, buffer: ChangeBuffer): Promise<void> {
  try {
    for await (const batch of batches) {
      if (batch.reset) await buffer.pass(batch)
      else buffer.add(batch)
    }
  } finally {
    buffer.close()
  }
}

/** Changes of which each key has the newest only, for one writer and one reader. */
class ChangeBuffer {
  readonly #size: number
  readonly #overflow: Overflow
  readonly #changes = new Map<string, KvChange>()
  #reset: KvBatch | undefined
  #versionstamp = ''
  #dropped = 0
  #isClosed = false
  /** Wakes whoever waits for a change of this buffer. */
  #wake: () => void = () => {}
  #changed = this.#nextChange()

  constructor(size: number, overflow: Overflow) {
    this.#size = size
    this.#overflow = overflow
  }

  add({ changes, versionstamp }: KvBatch): void {
    for (const change of changes) this.#put(change)
    this.#versionstamp = versionstamp
    this.#tell()
  }

  /** Resolves when the reader has taken this batch as it is. */
  async pass(batch: KvBatch): Promise<void> {
    while (this.#changes.size > 0 && !this.#isClosed) await this.#changed
    this.#reset = batch
    this.#tell()
    while (this.#reset !== undefined && !this.#isClosed) await this.#changed
  }

  /** Resolves to what waits, as soon as there is something; undefined when it is closed and empty. */
  async take(): Promise<KvBatch | undefined> {
    while (this.#changes.size === 0 && this.#reset === undefined) {
      if (this.#isClosed) return undefined
      await this.#changed
    }
    const batch = this.#changes.size > 0 ? this.#merged() : this.#reset
    if (this.#changes.size > 0) this.#changes.clear()
    else this.#reset = undefined
    this.#tell()
    return batch
  }

  close(): void {
    this.#isClosed = true
    this.#tell()
  }

  #merged(): KvBatch {
    const changes = [...this.#changes.values()]
    const dropped = this.#dropped
    this.#dropped = 0
    return {
      reset: false,
      isComplete: true,
      changes,
      versionstamp: this.#versionstamp,
      ...(dropped === 0 ? {} : { dropped }),
    }
  }

  #put(change: KvChange): void {
    const text = keyText(change.key)
    // Newer changes stand behind older ones.
    const isNew = !this.#changes.delete(text)
    if (isNew && this.#changes.size >= this.#size) {
      this.#dropped += 1
      if (this.#overflow === 'drop-newest') return
      const [oldest] = this.#changes.keys()
      if (oldest !== undefined) this.#changes.delete(oldest)
    }
    this.#changes.set(text, change)
  }

  #tell(): void {
    const wake = this.#wake
    this.#changed = this.#nextChange()
    wake()
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
