import { kvSearchLimits } from '../../../base/limits/kv.js'
import { kvCommitTooLarge } from '../../errors.js'
import type { SearchDocument } from '../../search/document.js'
import { decodeValue } from '../../stored-value.js'
import type { EntryChange, EntryObserver, Observe } from '../observers.js'
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

/** What one index will hold of a key. */
interface Document {
  readonly writer: DocumentWriter
  readonly key: Buffer
  readonly document: SearchDocument | undefined
}

class SearchObserver implements EntryObserver {
  readonly #writers: readonly DocumentWriter[]
  readonly #state: NamespaceState
  #documents: readonly Document[] = []

  constructor(writers: readonly DocumentWriter[], state: NamespaceState) {
    this.#writers = writers
    this.#state = state
  }

  /** @throws `KV_COMMIT_TOO_LARGE`. */
  check(changes: readonly EntryChange[]): void {
    // Only the last of a thousand mutations of one key makes a document.
    const last = new Map(changes.map((change) => [change.key.toString('latin1'), change]))
    this.#documents = [...last.values()].flatMap((change) => this.#documentsOf(change))
    const max = kvSearchLimits.commitTextBytesMax
    const count = this.#documents.reduce(
      (bytes, { writer, document }) => bytes + writer.textBytesOf(document),
      0,
    )
    if (count > max) throw kvCommitTooLarge({ count, max, what: 'bytes of text for search indexes' })
  }

  finish(): void {
    for (const { writer, key, document } of this.#documents) writer.write(this.#state, key, document)
  }

  #documentsOf({ key, value }: EntryChange): readonly Document[] {
    const covering = this.#writers.filter(({ prefix }) => isBelow(prefix, key))
    if (covering.length === 0) return []
    const decoded = value && decodeValue(value)
    return covering.map((writer) => ({ writer, key, document: writer.read(decoded) }))
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
