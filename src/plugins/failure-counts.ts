interface Count {
  readonly generation: number
  failures: number
}

/** Failures in a row, by name. A count belongs to one generation of a plugin: the next one starts anew. */
export class FailureCounts {
  readonly #counts = new Map<string, Count>()

  /** Failures of a name that this generation has counted; 0 for one that never failed or has succeeded since. */
  of(name: string, generation: number): number {
    const count = this.#counts.get(name)
    return count?.generation === generation ? count.failures : 0
  }

  /** Counts a failure and gives how many there are; 0, without counting it, when a later generation has failed already. */
  add(name: string, generation: number): number {
    const known = this.#counts.get(name)
    if (known !== undefined && known.generation > generation) return 0
    const count = known?.generation === generation ? known : { generation, failures: 0 }
    count.failures += 1
    this.#counts.set(name, count)
    return count.failures
  }

  /** Forgets the failures of a name, of whichever generation. */
  clear(name: string): void {
    this.#counts.delete(name)
  }
}
