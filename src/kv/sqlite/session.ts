import type { Database, Statement } from 'better-sqlite3'

/** The row of a namespace, as a commit found it and as it will leave it. */
export interface NamespaceState {
  readonly id: number
  readonly name: string
  /** Of the last commit. */
  versionstamp: number
  entries: number
  /** Bytes of entries and messages, as quotas count them. */
  bytes: number
  /** Versionstamp up to which changes have been forgotten. */
  changesFrom: number
  changesBytes: number
  /** Messages that wait or are being worked on. */
  messages: number
  /** Changes whenever triggers or indexes of the namespace do. */
  readonly observersVersion: number
}

type NamespaceRow = readonly [
  id: number,
  versionstamp: number,
  entries: number,
  bytes: number,
  changesFrom: number,
  changesBytes: number,
  messages: number,
  observersVersion: number,
]

/** Numbers of namespaces that are remembered; they never change. */
const namespaceIdsMax = 1000

/** What the store keeps for one connection: prepared statements and the numbers of namespaces. */
export class KvSession {
  readonly connection: Database
  /** Called after each commit of this connection that wrote something. */
  readonly committed: () => void
  readonly #namespaceIds = new Map<string, number>()
  readonly #statements = new Map<string, Statement<unknown[]>>()

  constructor(connection: Database, committed: () => void = () => {}) {
    this.connection = connection
    this.committed = committed
  }

  /** Prepares a statement once. Texts are constants of the store, so their number is bounded. */
  statement(text: string): Statement<unknown[]> {
    const known = this.#statements.get(text)
    if (known !== undefined) return known
    const statement = this.connection.prepare<unknown[]>(text)
    if (statement.reader) statement.raw()
    this.#statements.set(text, statement)
    return statement
  }

  /**
   * Runs work with the write lock, all or nothing, and tells that there is something new. Inside a transaction that
   * is open already, it becomes a part of it.
   */
  write<T>(work: () => T): T {
    if (this.connection.inTransaction) return this.#writeInside(work)
    this.statement('begin immediate').run()
    let result: T
    try {
      result = work()
      this.statement('commit').run()
    } catch (error) {
      if (this.connection.inTransaction) this.statement('rollback').run()
      throw error
    }
    this.committed()
    return result
  }

  /** The transaction around it may go on after an error, so what was begun is undone by itself. */
  #writeInside<T>(work: () => T): T {
    this.statement('savepoint kv_write').run()
    try {
      const result = work()
      this.statement('release kv_write').run()
      return result
    } catch (error) {
      // Some errors, as of a full disk, have ended the whole transaction.
      if (this.connection.inTransaction) {
        this.statement('rollback to kv_write').run()
        this.statement('release kv_write').run()
      }
      throw error
    }
  }

  /** Runs reads that all see the same moment. */
  snapshot<T>(work: () => T): T {
    if (this.connection.inTransaction) return work()
    this.statement('begin').run()
    try {
      return work()
    } finally {
      this.statement('commit').run()
    }
  }

  /** Number of a namespace; undefined while nothing has been written to it. */
  namespaceId(name: string): number | undefined {
    const known = this.#namespaceIds.get(name)
    if (known !== undefined) return known
    const row = this.statement('select id from kv_namespaces where name = ?').get(name) as
      | [id: number]
      | undefined
    if (row === undefined) return undefined
    // Inside a transaction the row may be one that is still rolled back.
    if (!this.connection.inTransaction) this.#rememberId(name, row[0])
    return row[0]
  }

  #rememberId(name: string, id: number): void {
    if (this.#namespaceIds.size >= namespaceIdsMax) this.#namespaceIds.clear()
    this.#namespaceIds.set(name, id)
  }

  /** Reads the state of a namespace inside `write`, creating it at its first use. */
  readNamespace(name: string, nowMs: number): NamespaceState {
    const text =
      'select id, versionstamp, entries, bytes, changes_from, changes_bytes, messages, observers_version from kv_namespaces where name = ?'
    let row = this.statement(text).get(name) as NamespaceRow | undefined
    if (row === undefined) {
      this.statement('insert into kv_namespaces (name, created_at) values (?, ?)').run(name, nowMs)
      row = this.statement(text).get(name) as NamespaceRow
    }
    const [id, versionstamp, entries, bytes, changesFrom, changesBytes, messages, observersVersion] = row
    return {
      id,
      name,
      versionstamp,
      entries,
      bytes,
      changesFrom,
      changesBytes,
      messages,
      observersVersion,
    }
  }

  /** Writes back what `readNamespace` gave, inside the same `write`. */
  writeNamespace(state: NamespaceState): void {
    this.statement(
      'update kv_namespaces set versionstamp = ?, entries = ?, bytes = ?, changes_from = ?, changes_bytes = ?, messages = ? where id = ?',
    ).run(
      state.versionstamp,
      state.entries,
      state.bytes,
      state.changesFrom,
      state.changesBytes,
      state.messages,
      state.id,
    )
  }
}
