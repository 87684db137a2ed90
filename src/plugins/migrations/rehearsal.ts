import { sql } from 'kysely'
import { migrationLimits } from '../../base/limits/plugins.js'
import { DbSession } from '../../capabilities/db/session.js'
import { openSqlite } from '../../database/sqlite.js'
import { type MigrationStep, runStep, type StepTerms } from './migration-step.js'
import type { SchemaEntry } from './schema.js'
import { StepFailed } from './step-failed.js'

/** Tables of the host that a step reads and writes. */
const bookkeeping: readonly string[] = ['plugin_tables', 'plugin_storage', 'plugin_migrations']

export interface RehearsalOptions {
  /** Path of the database; it is only read. */
  readonly file: string
  /** Path of the copy, which must not exist; the caller removes it. */
  readonly copy: string
  readonly terms: StepTerms
  readonly steps: readonly MigrationStep[]
  /** Time that a step may take. */
  readonly durationMs: number
  /** Told the step that begins. */
  begins(step: MigrationStep): void
}

/**
 * Carries out steps on a copy of the plugin's tables, so that one that fails or takes too long does so where nobody
 * waits: SQLite has one write lock for the whole file, and a thread that waits for it serves nobody.
 *
 * @throws StepFailed; SQLite's errors.
 */
export function rehearse({ file, copy, terms, steps, durationMs, begins }: RehearsalOptions): void {
  const connection = openSqlite({ file: copy, busyTimeoutMs: 0 })
  try {
    connection.pragma('synchronous = OFF')
    connection.pragma('foreign_keys = OFF')
    const session = new DbSession(connection)
    copyTables(session, file, terms.plugin)
    for (const step of steps) {
      begins(step)
      const { durationMs: ms } = runStep(session, terms, step)
      if (ms > durationMs) throw new StepFailed(step.version, describeSlow(durationMs))
    }
  } finally {
    connection.close()
  }
}

/** Says why a step was given up. */
export function describeSlow(durationMs: number): string {
  return `it takes longer than ${durationMs} ms, in which nobody else could write; do less in one migration, add an index, or move the work to a schedule. While the host starts a migration has ${migrationLimits.startDurationMs} ms`
}

function copyTables(session: DbSession, file: string, plugin: string): void {
  const { connection } = session
  connection.prepare('attach ? as live').run(file)
  connection.exec('begin')
  const schema = connection
    .prepare<[], SchemaEntry>(
      'select type, name, lower(tbl_name) as "table", sql, rootpage as root from live.sqlite_schema where sql is not null',
    )
    .all()
  const own = connection
    .prepare<[string], string>('select lower(table_name) from live.plugin_tables where plugin_name = ?')
    .pluck()
    .all(plugin)
  const wanted = new Set([...bookkeeping, ...own])
  const copied = schema.filter(({ table }) => wanted.has(table))
  const make = (type: string) => {
    for (const entry of copied) if (entry.type === type) connection.exec(String(entry.sql))
  }
  make('table')
  for (const { type, name } of copied) {
    if (type !== 'table') continue
    const id = sql.id(name)
    const rows = sql`insert into main.${id} select * from live.${id}`.compile(session.compiler)
    connection.exec(rows.sql)
  }
  make('index')
  make('trigger')
  connection.exec('commit')
  connection.exec('detach live')
}
