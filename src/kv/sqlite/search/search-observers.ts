import { kvSearchLimits } from '../../../base/limits.js'
import { decodeValue, type StoredValue } from '../../stored-value.js'
import type { KvSession, NamespaceState } from '../session.js'
import { DocumentWriter } from './document-writer.js'
import { isBelow, readIndexes } from './index-rows.js'

/** Is told of the changes of a commit, inside its transaction. */
export interface EntryObserver {
  /**
   * An entry has this value now, or is gone when it is undefined.
   *
   * @param key Encoded.
   */
  changed(key: Buffer, value: Pick<StoredValue, 'kind' | 'data'> | undefined): void
}

interface KnownIndexes {
  readonly version: number
  readonly writers: readonly DocumentWriter[]
}

/** Keeps the search indexes of all namespaces up to date through one connection. */
export class SearchObservers {
  readonly #session: KvSession
  readonly #known = new Map<number, KnownIndexes>()

  constructor(session: KvSession) {
    this.#session = session
  }

  /**
   * Gives what a commit has to tell its changes to; undefined for a namespace without indexes. What the indexes grow
   * by is added to `state.bytes`, which the commit checks against its quota and writes back.
   */
  observe(state: NamespaceState): EntryObserver | undefined {
    const writers = this.#writers(state)
    if (writers.length === 0) return undefined
    return {
      changed(key, stored) {
        const covering = writers.filter(({ prefix }) => isBelow(prefix, key))
        if (covering.length === 0) return
        const value = stored === undefined ? undefined : decodeValue(stored)
        for (const writer of covering) writer.write(state, key, value)
      },
    }
  }

  #writers({ id, observersVersion }: NamespaceState): readonly DocumentWriter[] {
    const known = this.#known.get(id)
    if (known?.version === observersVersion) return known.writers
    const writers = readIndexes(this.#session, id).map((index) => new DocumentWriter(this.#session, index))
    if (this.#known.size >= kvSearchLimits.namespacesMax) this.#known.clear()
    this.#known.set(id, { version: observersVersion, writers })
    return writers
  }
}
