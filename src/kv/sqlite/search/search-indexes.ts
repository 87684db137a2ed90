import { randomInt } from 'node:crypto'
import { kvSearchLimits } from '../../../base/limits/kv.js'
import { kvIndexLimit } from '../../errors.js'
import { prefixRange } from '../../key.js'
import type { KvIndexOptions } from '../../kv.js'
import {
  type IndexDefinition,
  readIndexDefinition,
  tokenizerArguments,
} from '../../search/index-definition.js'
import type { KvSession, NamespaceState } from '../session.js'
import { type IndexRow, indexTable, readIndexes } from './index-rows.js'

/** Versions are drawn and not counted: one that a rollback took back must not come again for something else. */
const versions = 2 ** 47

/** Makes, removes and lists the search indexes of namespaces. */
export class SearchIndexes {
  readonly #session: KvSession

  constructor(session: KvSession) {
    this.#session = session
  }

  /**
   * Makes an index over the entries below a prefix, or replaces the one with other fields or another tokenizer. New
   * entries are found at once, existing ones bit by bit; see `SearchMaintenance`.
   *
   * @param prefix Encoded.
   * @param nowMs Milliseconds since 1970.
   * @returns True when there is something to take in, false when the index was there as it is asked for.
   * @throws `KV_INDEX_INVALID`, `KV_INDEX_LIMIT`.
   */
  create(namespace: string, prefix: Buffer, options: KvIndexOptions, nowMs: number): boolean {
    const definition = readIndexDefinition(options)
    return this.#session.write(() => {
      const state = this.#session.readNamespace(namespace, nowMs)
      const indexes = readIndexes(this.#session, state.id)
      const old = indexes.find((index) => index.prefix.equals(prefix))
      if (old !== undefined && isSame(old, definition)) return false
      this.#checkCount(state, old === undefined ? indexes.length : indexes.length - 1)
      if (old !== undefined) this.#markRemoved(old.id, nowMs)
      this.#insert(state.id, prefix, definition, nowMs)
      this.#changeVersion(state.id)
      return true
    })
  }

  /**
   * Removes an index. It is not found or written any more; its room is given back bit by bit.
   *
   * @returns False when there is none with this very prefix.
   */
  remove(namespace: string, prefix: Buffer, nowMs: number): boolean {
    return this.#session.write(() => {
      const id = this.#session.namespaceId(namespace)
      if (id === undefined) return false
      const index = readIndexes(this.#session, id).find((one) => one.prefix.equals(prefix))
      if (index === undefined) return false
      this.#markRemoved(index.id, nowMs)
      this.#changeVersion(id)
      return true
    })
  }

  /** Lists the indexes of a namespace in the order of their prefixes. */
  list(namespace: string): readonly IndexRow[] {
    const id = this.#session.namespaceId(namespace)
    return id === undefined ? [] : readIndexes(this.#session, id)
  }

  #insert(namespaceId: number, prefix: Buffer, { fields, tokenizer }: IndexDefinition, nowMs: number): void {
    const { lastInsertRowid } = this.#session
      .statement(
        'insert into kv_indexes (namespace, prefix, fields, tokenizer, backfill_from, created_at) values (?, ?, ?, ?, ?, ?)',
      )
      .run(namespaceId, prefix, JSON.stringify(fields), tokenizer, prefixRange(prefix).start, nowMs)
    const columns = fields.map((_, at) => `f${at}`).join(', ')
    const table = indexTable(Number(lastInsertRowid))
    // The texts are in the entries already; the table has only the words.
    this.#session.connection.exec(
      `create virtual table ${table} using fts5(${columns}, content='', contentless_delete=1, tokenize='${tokenizerArguments[tokenizer]}')`,
    )
    // Else a delete now and then writes large parts of the index anew, for as long as seconds in one commit. The words of
    // what is deleted go when later documents have their parts merged.
    this.#session.connection.exec(`insert into ${table} (${table}, rank) values ('deletemerge', 0)`)
  }

  #markRemoved(id: number, nowMs: number): void {
    this.#session
      .statement('update kv_indexes set removed_at = ?, backfill_from = null where id = ?')
      .run(nowMs, id)
  }

  #changeVersion(namespaceId: number): void {
    this.#session
      .statement('update kv_namespaces set observers_version = ? where id = ?')
      .run(randomInt(1, versions), namespaceId)
  }

  /** Removed indexes count once there are too many of them, so that replacing in a loop ends. */
  #checkCount({ id, name }: NamespaceState, current: number): void {
    const { indexesMax, allIndexesMax } = kvSearchLimits
    const [removed] = this.#session
      .statement('select count(*) from kv_indexes where namespace = ? and removed_at is not null')
      .get(id) as [number]
    if (current >= indexesMax || removed >= indexesMax) {
      throw kvIndexLimit({ holder: `The namespace ${name}`, count: current + removed, max: indexesMax })
    }
    const [all] = this.#session.statement('select count(*) from kv_indexes').get() as [number]
    if (all >= allIndexesMax) throw kvIndexLimit({ holder: 'The store', count: all, max: allIndexesMax })
  }
}

function isSame(index: IndexRow, { fields, tokenizer }: IndexDefinition): boolean {
  return index.tokenizer === tokenizer && JSON.stringify(index.fields) === JSON.stringify(fields)
}
