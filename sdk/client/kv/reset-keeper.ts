import type { KvKey } from './value.js'
import type { KvBatch, KvChange } from './watch-types.js'
import { keyText } from './wire.js'

/**
 * Keeps resets true when the connection is lost in the middle of one. The reset that follows begins anew: what the
 * reader has been given of the first one, and is not in the second, was deleted in between.
 */
export class ResetKeeper {
  /** Keys of the reset that is not complete. */
  readonly #given = new Map<string, KvKey>()
  /** Keys of resets that were broken off, without those given again. */
  readonly #doubtful = new Map<string, KvKey>()

  /** Takes note of a batch on its way to the reader; the last one of a reset is completed with deletes. */
  keep(batch: KvBatch): KvBatch {
    if (!batch.reset) return batch
    for (const { key } of batch.changes) {
      const text = keyText(key)
      if (!batch.isComplete) this.#given.set(text, key)
      this.#doubtful.delete(text)
    }
    if (!batch.isComplete) return batch
    const deletes = [...this.#doubtful.values()].map((key) => deletion(key, batch.versionstamp))
    this.#given.clear()
    this.#doubtful.clear()
    return deletes.length === 0 ? batch : { ...batch, changes: [...batch.changes, ...deletes] }
  }

  /** Tells that the connection was lost. */
  breakOff(): void {
    for (const [text, key] of this.#given) this.#doubtful.set(text, key)
    this.#given.clear()
  }
}

function deletion(key: KvKey, versionstamp: string): KvChange {
  return { type: 'delete', key, value: null, versionstamp }
}
