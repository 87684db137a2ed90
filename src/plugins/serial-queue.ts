interface LastWork {
  readonly kind: string
  readonly promise: Promise<unknown>
  hasStarted: boolean
}

/** Runs work one after the other for each key; work of different keys does not wait for each other. */
export class SerialQueue {
  readonly #last = new Map<string, LastWork>()

  /** Runs the work when all that was given before under the same key has ended, in any way. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    return this.#append(key, '', work)
  }

  /**
   * As `run`, but joins the last work under the key when that is of the same kind and still waits: it will see
   * all that the caller has done until now.
   */
  runJoined<T>(key: string, kind: string, work: () => Promise<T>): Promise<T> {
    const last = this.#last.get(key)
    // Work of one kind under one key has one result type.
    if (last !== undefined && last.kind === kind && !last.hasStarted) return last.promise as Promise<T>
    return this.#append(key, kind, work)
  }

  /** Resolves when no work is left, also none that was added while waiting. */
  async idle(): Promise<void> {
    while (this.#last.size > 0) {
      await Promise.allSettled([...this.#last.values()].map(({ promise }) => promise))
    }
  }

  #append<T>(key: string, kind: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)?.promise ?? Promise.resolve()
    const start = () => {
      entry.hasStarted = true
      return work()
    }
    const promise = before.then(start, start)
    const entry: LastWork = { kind, promise, hasStarted: false }
    this.#last.set(key, entry)
    const forget = () => {
      if (this.#last.get(key) === entry) this.#last.delete(key)
    }
    promise.then(forget, forget)
    return promise
  }
}
