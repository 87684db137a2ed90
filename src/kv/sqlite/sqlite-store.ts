import { HostError } from '../../base/errors.js'
import type {
  Commit,
  CommitOutcome,
  CommitResult,
  KvStore,
  ListQuery,
  NamespacedCommit,
  StoredEntry,
  StoredPage,
} from '../store.js'
import { CommitRun, type CommitSettings } from './commits.js'
import { listEntries, readEntry } from './entries.js'
import type { KvSession } from './session.js'

/** What a store over SQLite is made of. */
export interface SqliteStoreOptions extends CommitSettings {
  readonly session: KvSession
  /** Milliseconds since 1970 that never go back. */
  readonly clock: () => number
}

const emptyPage: StoredPage = { entries: [], rest: undefined }

/** Keeps the entries in SQLite, on one connection; any number of stores share a file. */
export class SqliteKvStore implements KvStore {
  readonly #session: KvSession
  readonly #settings: CommitSettings
  readonly #clock: () => number

  constructor({ session, clock, ...settings }: SqliteStoreOptions) {
    this.#session = session
    this.#settings = settings
    this.#clock = clock
  }

  read(namespace: string, keys: readonly Buffer[]): readonly (StoredEntry | undefined)[] {
    const id = this.#session.namespaceId(namespace)
    if (id === undefined) return keys.map(() => undefined)
    const nowMs = this.#clock()
    const readAll = (): (StoredEntry | undefined)[] =>
      keys.map((key) => readEntry(this.#session, id, key, nowMs))
    return keys.length === 1 ? readAll() : this.#session.snapshot(readAll)
  }

  list(namespace: string, query: ListQuery): StoredPage {
    const id = this.#session.namespaceId(namespace)
    return id === undefined ? emptyPage : listEntries(this.#session, id, query, this.#clock())
  }

  commit(namespace: string, commit: Commit): CommitResult {
    return this.#session.write(() => {
      const run = new CommitRun(this.#session, this.#settings, this.#clock())
      const result = run.apply(namespace, commit)
      if (result.ok) run.finish()
      return result
    })
  }

  commitAll(commits: readonly NamespacedCommit[]): readonly CommitOutcome[] {
    return this.#session.write(() => {
      const run = new CommitRun(this.#session, this.#settings, this.#clock())
      const outcomes = commits.map(({ namespace, commit }): CommitOutcome => {
        try {
          return run.apply(namespace, commit)
        } catch (error) {
          if (error instanceof HostError) return { error }
          throw error
        }
      })
      run.finish()
      return outcomes
    })
  }

  sweepExpired(limit: number): number {
    const nowMs = this.#clock()
    if (this.#expired(nowMs, 1).length === 0) return 0
    return this.#session.write(() => {
      const rows = this.#expired(nowMs, limit)
      const run = new CommitRun(this.#session, this.#settings, nowMs)
      for (const [namespace, keys] of byNamespace(rows)) {
        run.apply(namespace, { checks: [], mutations: keys.map((key) => ({ type: 'delete', key })) })
      }
      run.finish()
      return rows.length
    })
  }

  #expired(nowMs: number, limit: number): readonly ExpiredRow[] {
    return this.#session
      .statement(
        'select n.name, e.key from kv_entries e join kv_namespaces n on n.id = e.namespace where e.expires_at <= ? order by e.expires_at limit ?',
      )
      .all(nowMs, limit) as ExpiredRow[]
  }
}

type ExpiredRow = readonly [namespace: string, key: Buffer]

function byNamespace(rows: readonly ExpiredRow[]): Map<string, Buffer[]> {
  const groups = new Map<string, Buffer[]>()
  for (const [namespace, key] of rows) {
    const group = groups.get(namespace)
    if (group === undefined) groups.set(namespace, [key])
    else group.push(key)
  }
  return groups
}
