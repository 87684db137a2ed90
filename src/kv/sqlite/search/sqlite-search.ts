import { decodeKey, encodePrefix, type KvKey } from '../../key.js'
import type { KvHit, KvIndex, KvIndexOptions, KvSearchOptions } from '../../kv.js'
import { decodeValue } from '../../stored-value.js'
import { showVersionstamp } from '../../versionstamp.js'
import { compileStoredWhere } from '../../where/compile-where.js'
import type { KvSession } from '../session.js'
import { EntrySearch, type StoredHit } from './entry-search.js'
import { SearchIndexes } from './search-indexes.js'

/**
 * `KvSearch` of any namespace, on one connection and so at once. Every method may throw SQLite's SQLITE_BUSY where
 * another connection holds the lock; nothing is done then.
 */
export class SqliteKvSearch {
  readonly #indexes: SearchIndexes
  readonly #entries: EntrySearch
  readonly #clock: () => number

  /** @param clock Milliseconds since 1970 that never go back. */
  constructor(session: KvSession, clock: () => number) {
    this.#indexes = new SearchIndexes(session)
    this.#entries = new EntrySearch(session)
    this.#clock = clock
  }

  /**
   * Makes an index over the entries below a prefix, or replaces the one with other options. `SearchMaintenance` takes
   * existing entries in.
   *
   * @throws `KV_KEY_INVALID`, `KV_INDEX_INVALID`, `KV_INDEX_LIMIT`.
   */
  createIndex(namespace: string, prefix: KvKey, options: KvIndexOptions): void {
    this.#indexes.create(namespace, encodePrefix(prefix), options, this.#clock())
  }

  /** False when there is none with this very prefix. */
  removeIndex(namespace: string, prefix: KvKey): boolean {
    return this.#indexes.remove(namespace, encodePrefix(prefix), this.#clock())
  }

  /** In the order of their prefixes. */
  indexes(namespace: string): readonly KvIndex[] {
    return this.#indexes.list(namespace).map(({ prefix, fields, tokenizer, backfillFrom }) => ({
      prefix: decodeKey(prefix),
      fields,
      tokenize: tokenizer,
      isComplete: backfillFrom === undefined,
    }))
  }

  /**
   * Finds entries by words, best first; see `EntrySearch.search` for its bounds.
   *
   * @param query In the language of `parseQuery`.
   * @throws `KV_KEY_INVALID`, `KV_QUERY_INVALID`, `KV_OPTION_INVALID`, `KV_WHERE_INVALID`, `KV_INDEX_MISSING` or
   *   `KV_SEARCH_TOO_BROAD`.
   */
  search(namespace: string, prefix: KvKey, query: string, options: KvSearchOptions = {}): readonly KvHit[] {
    const { limit, where, highlight } = options
    const nowMs = this.#clock()
    const matches = where && compileStoredWhere(where, nowMs)
    const request = { prefix: encodePrefix(prefix), query, limit, matches, highlight }
    return this.#entries.search(namespace, request, nowMs).map(toHit)
  }
}

function toHit({ entry, score, highlights }: StoredHit): KvHit {
  return {
    key: decodeKey(entry.key),
    value: decodeValue(entry),
    versionstamp: showVersionstamp(entry.versionstamp),
    score,
    ...(highlights && { highlights }),
  }
}
