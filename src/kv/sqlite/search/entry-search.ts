import { kvLimits, kvSearchLimits } from '../../../base/limits/kv.js'
import { kvIndexMissing, kvOptionInvalid } from '../../errors.js'
import { decodeKey, prefixRange, showKey } from '../../key.js'
import { checkMarks, type Marks } from '../../search/marks.js'
import { parseQuery, type SearchQuery } from '../../search/query.js'
import type { StoredEntry } from '../../store.js'
import { decodeValue } from '../../stored-value.js'
import type { KvSession } from '../session.js'
import { Highlighter } from './highlighter.js'
import { type IndexRow, indexTable, readIndexes } from './index-rows.js'
import { checkSearchTime, installSearchGuard, searchGuardFunction, tooBroad } from './search-guard.js'

/** What is looked for. */
export interface SearchRequest {
  /** Encoded; the longest prefix of an index that it begins with says which index answers. */
  readonly prefix: Buffer
  /** In the language of `parseQuery`. */
  readonly query: string
  /** Hits, from 1 to `kvLimits.pageEntriesMax`; `kvLimits.pageEntriesDefault` when missing. */
  readonly limit?: number | undefined
  /** Entries for which it is false are passed over; all count when missing. */
  readonly matches?: ((entry: StoredEntry) => boolean) | undefined
  /** No texts with marks when missing. */
  readonly highlight?: Marks | undefined
}

/** An entry that was found. */
export interface StoredHit {
  readonly entry: StoredEntry
  /** By BM25, larger is better. It compares hits of one search, never of two. */
  readonly score: number
  /** Texts with marks by field; see `placeMarks`. Only when marks were asked for. */
  readonly highlights?: Readonly<Record<string, string>>
}

type Match = readonly [key: Buffer, relevance: number]
type EntryRow = readonly [kind: number, data: string | Uint8Array, versionstamp: number]

/** Finds entries by the words in them, through one connection. */
export class EntrySearch {
  readonly #session: KvSession

  constructor(session: KvSession) {
    this.#session = session
    installSearchGuard(session.connection)
  }

  /**
   * Finds the entries that fit a query, best first, and those that fit equally well in the order of their keys. The
   * limit counts entries that have not expired and that match.
   *
   * It never waits for a search that is too broad: the words may stand in `kvSearchLimits.postingsMax` documents
   * together and find `kvSearchLimits.matchesMax`, within `kvSearchLimits.searchMs`. What cannot be bounded in SQLite
   * is one pass over the documents of a phrase without a match, or of all words with the same beginning: some 40 ms for
   * 200 000 documents, so that the room of a namespace is what bounds it.
   *
   * @param nowMs Milliseconds since 1970.
   * @throws `KV_QUERY_INVALID`, `KV_OPTION_INVALID`, `KV_INDEX_MISSING` or `KV_SEARCH_TOO_BROAD`.
   */
  search(namespace: string, request: SearchRequest, nowMs: number): readonly StoredHit[] {
    const query = parseQuery(request.query)
    const limit = readLimit(request.limit)
    if (request.highlight !== undefined) checkMarks(request.highlight)
    const [index, hits] = this.#session.snapshot(() => {
      const id = this.#session.namespaceId(namespace)
      const covering = id === undefined ? undefined : this.#findIndex(id, request.prefix)
      if (id === undefined || covering === undefined) {
        throw kvIndexMissing({ namespace, prefix: showKey(decodeKey(request.prefix)) })
      }
      const matches = this.#rank(covering, query, request.prefix)
      return [covering, this.#readHits(id, matches, { ...request, limit }, nowMs)] as const
    })
    return request.highlight === undefined ? hits : this.#mark(index, query, hits, request.highlight)
  }

  #findIndex(namespaceId: number, prefix: Buffer): IndexRow | undefined {
    const covering = readIndexes(this.#session, namespaceId).filter((index) =>
      prefix.subarray(0, index.prefix.length).equals(index.prefix),
    )
    return covering.sort((one, other) => other.prefix.length - one.prefix.length)[0]
  }

  #rank(index: IndexRow, { match, terms }: SearchQuery, prefix: Buffer): readonly Match[] {
    const endMs = performance.now() + kvSearchLimits.searchMs
    const table = indexTable(index.id)
    this.#countPostings(table, terms, endMs)
    const { start, end } = prefixRange(prefix)
    // The words come first, and their documents are looked up by number: the other way round each costs a search.
    const text = `select d.key, bm25(${table}) as relevance from ${table} cross join kv_documents d on d.id = ${table}.rowid where ${table} match ? and ${searchGuardFunction}(${table}.rowid, ?) and d.key >= ? and d.key < ? order by relevance, d.key`
    const statement = this.#session.connection.prepare<unknown[]>(text).raw()
    return statement.all(match, endMs, start, end) as Match[]
  }

  /** Ranking counts the documents of each word, inside one call of SQLite; so it begins only where that is soon done. */
  #countPostings(table: string, terms: readonly string[], endMs: number): void {
    const max = kvSearchLimits.postingsMax
    const statement = this.#session.connection
      .prepare<unknown[]>(`select count(*) from (select 1 from ${table} where ${table} match ? limit ?)`)
      .raw()
    let left = max
    for (const term of new Set(terms)) {
      const cost = term.endsWith('*') ? kvSearchLimits.prefixCost : 1
      const [count] = statement.get(term, Math.floor(left / cost) + 1) as [number]
      left -= count * cost
      if (left < 0) throw tooBroad(`its words stand in more documents than may be counted (${max})`)
      checkSearchTime(endMs)
    }
  }

  #readHits(
    namespaceId: number,
    ranked: readonly Match[],
    { limit, matches = () => true }: { readonly limit: number; readonly matches?: SearchRequest['matches'] },
    nowMs: number,
  ): readonly StoredHit[] {
    const statement = this.#session.statement(
      'select kind, value, versionstamp from kv_entries where namespace = ? and key = ? and (expires_at is null or expires_at > ?)',
    )
    const hits: StoredHit[] = []
    let bytesLeft: number = kvSearchLimits.readBytesMax
    for (const [key, relevance] of ranked) {
      if (hits.length >= limit) break
      const row = statement.get(namespaceId, key, nowMs) as EntryRow | undefined
      if (row === undefined) continue
      const [kind, data, versionstamp] = row
      bytesLeft -= data.length
      if (bytesLeft < 0) {
        throw tooBroad(
          `the values of what it finds take more than ${kvSearchLimits.readBytesMax} bytes`,
          'Ask for fewer with "limit", or add words so that "where" has fewer entries to pass over.',
        )
      }
      const entry = { key, kind, data, versionstamp }
      if (matches(entry)) hits.push({ entry, score: -relevance })
    }
    return hits
  }

  #mark(
    index: IndexRow,
    { match }: SearchQuery,
    hits: readonly StoredHit[],
    marks: Marks,
  ): readonly StoredHit[] {
    const highlighter = new Highlighter(this.#session.connection, index, match, marks)
    const endMs = performance.now() + kvSearchLimits.searchMs
    return hits.map((hit) => {
      // Marking takes the product of the length of a text and of its marks.
      if (performance.now() > endMs) {
        throw tooBroad(
          `marking what it finds took longer than ${kvSearchLimits.searchMs} ms`,
          'Ask for fewer with "limit", or without "highlight".',
        )
      }
      return { ...hit, highlights: highlighter.mark(decodeValue(hit.entry)) }
    })
  }
}

function readLimit(limit: number = kvLimits.pageEntriesDefault): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= kvLimits.pageEntriesMax) return limit
  throw kvOptionInvalid({ problem: `"limit" must be a whole number from 1 to ${kvLimits.pageEntriesMax}.` })
}
