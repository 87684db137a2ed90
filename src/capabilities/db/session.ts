import type { Database, Statement } from 'better-sqlite3'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { dbLimits } from '../../base/limits/database.js'
import type { Compiler } from './compile.js'
import { RecentCache } from './recent-cache.js'
import { StatementClock } from './statement-clock.js'
import type { TableInfo } from './table-info.js'

/** A statement that is kept for its plan. */
export interface Prepared {
  readonly statement: Statement<unknown[], unknown[]>
  /** Place of the parameter of each placeholder; undefined when they are in order. */
  readonly order: readonly number[] | undefined
  readonly keys: readonly string[]
  readonly rowsMax: number
}

/** A transaction of a plugin that has begun on this connection and whose Lua function has not ended. */
export interface OpenTransaction {
  readonly deadlineMs: number
  /** Why it was rolled back before its function ended; undefined while it is open. */
  ended: string | undefined
  /** Called once it is committed, each once: what was written besides tables of plugins has others to tell. */
  readonly committed: Set<() => void>
}

/** What the database functions keep for one connection. */
export class DbSession {
  readonly connection: Database
  readonly compiler: Compiler
  readonly clock = new StatementClock()
  /** By generation and plan. */
  readonly statements = new RecentCache<Prepared>(dbLimits.statementsMax)
  /** Tables that a generation owns, by its key; only what was found, never what was not. */
  readonly owners = new RecentCache<Map<string, TableInfo>>(dbLimits.ownersMax)
  transaction: OpenTransaction | undefined
  /** Version of the schema for which cascades are guarded, by plugin. */
  readonly guarded = new RecentCache<number>(dbLimits.ownersMax)
  readonly #host = new Map<string, Statement<unknown[]>>()

  constructor(connection: Database) {
    this.connection = connection
    this.compiler = new Kysely({
      dialect: {
        createAdapter: () => new SqliteAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: (db) => new SqliteIntrospector(db),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
    })
    this.clock.install(connection)
  }

  /** Prepares a statement of the host itself once. Its text is a constant, so their number is bounded. */
  host(text: string): Statement<unknown[]> {
    const known = this.#host.get(text)
    if (known !== undefined) return known
    const statement = this.connection.prepare<unknown[]>(text)
    this.#host.set(text, statement)
    return statement
  }
}

/** Gives the session of a connection; it lives as long as the connection is referenced. */
export type SessionLookup = (connection: Database) => DbSession

/** Creates the lookup of sessions by connection. */
export function createSessionLookup(): SessionLookup {
  const sessions = new WeakMap<Database, DbSession>()
  return (connection) => {
    const known = sessions.get(connection)
    if (known !== undefined) return known
    const session = new DbSession(connection)
    sessions.set(connection, session)
    return session
  }
}
