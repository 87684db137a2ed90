import { decodeKey, encodePrefix, type KvKey } from '../../src/kv/key.js'
import type { KvIndexOptions } from '../../src/kv/kv.js'
import { EntrySearch, type SearchRequest, type StoredHit } from '../../src/kv/sqlite/search/entry-search.js'
import { SearchIndexes } from '../../src/kv/sqlite/search/search-indexes.js'
import { SearchMaintenance } from '../../src/kv/sqlite/search/search-maintenance.js'
import { createSearchObserver } from '../../src/kv/sqlite/search/search-observer.js'
import type { KvSession } from '../../src/kv/sqlite/session.js'
import type { SqliteKvStore } from '../../src/kv/sqlite/sqlite-store.js'
import type { Mutation } from '../../src/kv/store.js'
import type { KvValue } from '../../src/kv/value.js'
import { createStoreFixture, type StoreFixture, set } from './kv-store.js'

/** Search through one connection. */
export interface SearchConnection {
  readonly session: KvSession
  readonly store: SqliteKvStore
  readonly indexes: SearchIndexes
  readonly maintenance: SearchMaintenance
  readonly finder: EntrySearch
}

/** Search over a file of its own, as one plugin would use it. */
export class SearchFixture implements SearchConnection {
  readonly namespace = 'plugin:blog'
  readonly session: KvSession
  readonly store: SqliteKvStore
  readonly indexes: SearchIndexes
  readonly maintenance: SearchMaintenance
  readonly finder: EntrySearch
  readonly #fixture: StoreFixture
  readonly #bytesMax: () => number

  constructor(fixture: StoreFixture, bytesMax: () => number) {
    this.#fixture = fixture
    this.#bytesMax = bytesMax
    const { session, store, indexes, maintenance, finder } = this.connect(fixture)
    this.session = session
    this.store = store
    this.indexes = indexes
    this.maintenance = maintenance
    this.finder = finder
  }

  get file(): string {
    return this.#fixture.file
  }

  get nowMs(): number {
    return this.#fixture.nowMs
  }

  set nowMs(nowMs: number) {
    this.#fixture.nowMs = nowMs
  }

  /** Another connection to the file, as another thread or the next process has it. */
  open(): SearchConnection {
    return this.connect(this.#fixture.open({ observe: (session) => [createSearchObserver(session)] }))
  }

  close(): void {
    this.#fixture.close()
  }

  index(prefix: KvKey, options: KvIndexOptions, namespace = this.namespace): boolean {
    return this.indexes.create(namespace, encodePrefix(prefix), options, this.nowMs)
  }

  put(key: KvKey, value: KvValue, expiresAt?: number): void {
    this.commit(set(key, value, expiresAt))
  }

  commit(...mutations: Mutation[]): void {
    this.store.commit(this.namespace, { checks: [], mutations })
  }

  /** Does all that is left to do. */
  settle(): number {
    let steps = 0
    while (this.maintenance.step(this.nowMs)) steps += 1
    return steps
  }

  hits(prefix: KvKey, query: string, options: Partial<SearchRequest> = {}): readonly StoredHit[] {
    return this.finder.search(this.namespace, { ...options, prefix: encodePrefix(prefix), query }, this.nowMs)
  }

  /** Last parts of the keys that are found, best first. */
  found(prefix: KvKey, query: string, options: Partial<SearchRequest> = {}): unknown[] {
    return namesOf(this.hits(prefix, query, options))
  }

  /** Bytes that the namespace takes. */
  bytes(): number {
    const statement = this.session.connection.prepare('select bytes from kv_namespaces where name = ?')
    return statement.pluck().get(this.namespace) as number
  }

  /** Names of the tables that indexes have. */
  tables(): unknown[] {
    const text = "select name from sqlite_schema where name glob 'kv_fts_*' and name not glob 'kv_fts_*_*'"
    return this.session.connection.prepare(text).pluck().all()
  }

  /** Rows of a core table. */
  count(table: 'kv_documents' | 'kv_indexes'): number {
    return this.session.connection.prepare(`select count(*) from ${table}`).pluck().get() as number
  }

  private connect({ session, store }: { session: KvSession; store: SqliteKvStore }): SearchConnection {
    return {
      session,
      store,
      indexes: new SearchIndexes(session),
      maintenance: new SearchMaintenance(session, this.#bytesMax),
      finder: new EntrySearch(session),
    }
  }
}

export function namesOf(hits: readonly StoredHit[]): unknown[] {
  return hits.map(({ entry }) => decodeKey(entry.key).at(-1))
}

export async function createSearchFixture(bytesMax: () => number = () => 2 ** 40): Promise<SearchFixture> {
  const fixture = await createStoreFixture({ observe: (session) => [createSearchObserver(session)] })
  return new SearchFixture(fixture, bytesMax)
}
