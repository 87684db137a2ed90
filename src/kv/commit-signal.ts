/** The part of `Atomics` that the library of this language version does not declare. */
interface AsyncAtomics {
  waitAsync(
    words: Int32Array,
    index: number,
    value: number,
  ): { readonly async: boolean; readonly value: Promise<unknown> | string }
}

/**
 * Tells that some connection of this process has committed. It is a counter in memory that all threads share: they
 * build their own `CommitSignal` over the same `memory`.
 */
export class CommitSignal {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #listeners = new Set<() => void>()
  #isWaiting = false

  /** @param memory Of another thread's signal; a new one when missing. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory
    this.#words = new Int32Array(memory)
  }

  /** Tells all threads; to be called after each commit. */
  readonly committed = (): void => {
    Atomics.add(this.#words, 0, 1)
    Atomics.notify(this.#words, 0)
  }

  /**
   * Has a function called, in this thread and in a later task, after commits of any thread of the process; several
   * commits may be told as one. Waiting does not keep the process alive.
   *
   * @returns Ends it.
   */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    void this.#wait()
    return () => this.#listeners.delete(listener)
  }

  /** Waits while somebody listens; without listeners, commits cost no wake-up. */
  async #wait(): Promise<void> {
    if (this.#isWaiting) return
    this.#isWaiting = true
    let seen = Atomics.load(this.#words, 0)
    while (this.#listeners.size > 0) {
      await (Atomics as unknown as AsyncAtomics).waitAsync(this.#words, 0, seen).value
      seen = Atomics.load(this.#words, 0)
      for (const listener of this.#listeners) listener()
    }
    this.#isWaiting = false
  }
}
