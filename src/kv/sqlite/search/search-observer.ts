import { kvSearchLimits } from '../../../base/limits.js'
import { decodeValue, type StoredValue } from '../../stored-value.js'
import type { EntryObserver, Observe } from '../observers.js'
import type { KvSession, NamespaceState } from '../session.js'
import { DocumentWriter } from './document-writer.js'
import { isBelow, readIndexes } from './index-rows.js'

/**
 * Makes the observer that keeps search indexes up to date, in the transaction of the commit itself. What they grow by
 * counts to the namespace; the commit that makes them grow beyond its room is still taken, the next one is not.
 */
export function createSearchObserver(session: KvSession): Observe {
  const writers = new WriterCache(session)
  return ({ state }) => {
    const all = writers.of(state)
    return all.length === 0 ? undefined : new SearchObserver(all, state)
  }
}

/** A key and what it holds, undefined when it is gone. */
interface Change {
  readonly key: Buffer
  readonly value: StoredValue | undefined
}

class SearchObserver implements EntryObserver {
  readonly #writers: readonly DocumentWriter[]
  readonly #state: NamespaceState
  readonly #changes = new Map<string, Change>()

  constructor(writers: readonly DocumentWriter[], state: NamespaceState) {
    this.#writers = writers
    this.#state = state
  }

  changed(key: Buffer, value: StoredValue | undefined): void {
    // Only the last of a thousand mutations of one key makes a document.
    this.#changes.set(key.toString('latin1'), { key, value })
  }

  finish(): void {
    for (const { key, value } of this.#changes.values()) {
      const covering = this.#writers.filter(({ prefix }) => isBelow(prefix, key))
      if (covering.length === 0) continue
      const decoded = value && decodeValue(value)
      for (const writer of covering) writer.write(this.#state, key, decoded)
    }
  }
}

/** The indexes of namespaces, read again when they have changed. */
class WriterCache {
  readonly #session: KvSession
  readonly #known = new Map<
    number,
    { readonly version: number; readonly writers: readonly DocumentWriter[] }
  >()

  constructor(session: KvSession) {
    this.#session = session
  }

  of({ id, observersVersion: version }: NamespaceState): readonly DocumentWriter[] {
    const known = this.#known.get(id)
    if (known?.version === version) return known.writers
    const writers = readIndexes(this.#session, id).map((index) => new DocumentWriter(this.#session, index))
    if (this.#known.size >= kvSearchLimits.namespacesMax) this.#known.clear()
    this.#known.set(id, { version, writers })
    return writers
  }
}
