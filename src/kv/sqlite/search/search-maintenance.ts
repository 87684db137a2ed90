import { kvSearchLimits } from '../../../base/limits/kv.js'
import { after, prefixRange } from '../../key.js'
import type { Tokenizer } from '../../search/index-definition.js'
import { decodeValue } from '../../stored-value.js'
import type { KvSession, NamespaceState } from '../session.js'
import { DocumentWriter } from './document-writer.js'
import { indexTable } from './index-rows.js'

type WorkRow = readonly [
  id: number,
  namespace: string,
  prefix: Buffer,
  fields: string,
  tokenizer: string,
  backfillFrom: Buffer | null,
]

type EntryRow = readonly [key: Buffer, kind: number, data: string | Uint8Array, isExpired: number]

interface EntryBatch {
  readonly entries: readonly EntryRow[]
  /** True when the range has no more. */
  readonly isEnd: boolean
}

/**
 * Takes existing entries into new indexes, and removed indexes apart. Each step is a short transaction that leaves
 * behind where it stopped, so that any connection goes on, after a restart too. Commits write to an index from its
 * first moment: an entry that changes meanwhile has its document before the step comes to it, and keeps it.
 */
export class SearchMaintenance {
  readonly #session: KvSession
  readonly #namespaceBytesMax: () => number
  /** Of the index that the last step was for, as they take turns. */
  #last = 0

  /** @param namespaceBytesMax Bytes that a namespace may hold, its indexes included. */
  constructor(session: KvSession, namespaceBytesMax: () => number) {
    this.#session = session
    this.#namespaceBytesMax = namespaceBytesMax
  }

  /**
   * Does one step for the next index that needs one. New indexes of a namespace that has used up its room wait until
   * it has some again.
   *
   * @param nowMs Milliseconds since 1970.
   * @returns False when there was nothing to do.
   */
  step(nowMs: number): boolean {
    // Looking first leaves the lock to others as long as there is nothing to do.
    if (this.#next() === undefined) return false
    return this.#session.write(() => {
      const row = this.#next()
      if (row === undefined) return false
      this.#last = row[0]
      const state = this.#session.readNamespace(row[1], nowMs)
      if (row[5] === null) this.#takeApart(row[0], state)
      else this.#takeIn(row, row[5], state, nowMs)
      this.#session.writeNamespace(state)
      return true
    })
  }

  #next(): WorkRow | undefined {
    const statement = this.#session.statement(
      'select i.id, n.name, i.prefix, i.fields, i.tokenizer, i.backfill_from from kv_indexes i join kv_namespaces n on n.id = i.namespace where i.id > ? and (i.removed_at is not null or (i.backfill_from is not null and n.bytes < ?)) order by i.id limit 1',
    )
    const bytesMax = this.#namespaceBytesMax()
    return (statement.get(this.#last, bytesMax) ?? statement.get(0, bytesMax)) as WorkRow | undefined
  }

  #takeIn(
    [id, , prefix, fields, tokenizer]: WorkRow,
    from: Buffer,
    state: NamespaceState,
    nowMs: number,
  ): void {
    const row = {
      id,
      prefix,
      fields: JSON.parse(fields),
      tokenizer: tokenizer as Tokenizer,
      backfillFrom: from,
    }
    const writer = new DocumentWriter(this.#session, row)
    const { entries, isEnd } = this.#readEntries(state.id, from, prefixRange(prefix).end, {
      nowMs,
      bytesMax: kvSearchLimits.stepBytesMax / (tokenizer === 'trigram' ? kvSearchLimits.trigramFactor : 1),
    })
    let next: Buffer | null = isEnd ? null : from
    for (const [key, kind, data, isExpired] of entries) {
      if (isExpired === 0) writer.writeMissing(state, key, decodeValue({ kind, data }))
      if (!isEnd) next = after(key)
    }
    this.#session.statement('update kv_indexes set backfill_from = ? where id = ?').run(next, id)
  }

  /** Reads ahead, as a connection cannot write while it reads on. */
  #readEntries(
    namespaceId: number,
    from: Buffer,
    end: Buffer,
    { nowMs, bytesMax }: { readonly nowMs: number; readonly bytesMax: number },
  ): EntryBatch {
    const { stepEntriesMax } = kvSearchLimits
    const rows = this.#session
      .statement(
        'select key, kind, value, coalesce(expires_at <= ?, 0) from kv_entries where namespace = ? and key >= ? and key < ? order by key limit ?',
      )
      .iterate(nowMs, namespaceId, from, end, stepEntriesMax) as IterableIterator<EntryRow>
    const entries: EntryRow[] = []
    let bytes = 0
    for (const row of rows) {
      entries.push(row)
      bytes += row[2].length
      if (bytes >= bytesMax) return { entries, isEnd: false }
    }
    return { entries, isEnd: entries.length < stepEntriesMax }
  }

  #takeApart(id: number, state: NamespaceState): void {
    const documents = this.#session
      .statement('select id, bytes from kv_documents where index_id = ? limit ?')
      .all(id, kvSearchLimits.stepEntriesMax) as [number, number][]
    const deleteDocument = this.#session.statement('delete from kv_documents where id = ?')
    for (const [documentId, bytes] of documents) {
      deleteDocument.run(documentId)
      state.bytes -= bytes
    }
    if (documents.length > 0) return
    this.#session.connection.exec(`drop table if exists ${indexTable(id)}`)
    this.#session.statement('delete from kv_indexes where id = ?').run(id)
  }
}
