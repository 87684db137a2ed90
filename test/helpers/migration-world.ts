import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { DbSession } from '../../src/capabilities/db/session.js'
import { type CoreDatabase, createDatabase } from '../../src/database/database.js'
import { readMigrations } from '../../src/plugins/migrations/declared.js'
import type { MigrationStep } from '../../src/plugins/migrations/migration-step.js'
import { openStepSession } from '../../src/plugins/migrations/runner.js'

/** Columns that every table of a plugin has. */
export const ownColumns = 'id TEXT PRIMARY KEY NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL'

/** Values of these columns, for INSERT. */
export const ownValues = (id: string): string => `'${id}', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'`

/** A database file with the core tables, and a connection for migrations on it. */
export interface MigrationWorld {
  readonly file: string
  readonly database: CoreDatabase
  readonly session: DbSession
  /** All entries of the schema as text, to compare. */
  schema(): readonly string[]
  /** The values of the first column of a query. */
  values(sql: string): readonly unknown[]
}

/** Creates a world in a temporary folder that goes with the test. */
export async function createMigrationWorld(test: TestContext): Promise<MigrationWorld> {
  const root = await mkdtemp(join(tmpdir(), 'modulacms-migrations-'))
  const file = join(root, 'modula.db')
  const database = await createDatabase({ file })
  const session = openStepSession(file)
  test.after(async () => {
    session.connection.close()
    await database.close()
    await rm(root, { recursive: true, force: true })
  })
  const values = (sql: string) => session.connection.prepare(sql).pluck().all()
  return {
    file,
    database,
    session,
    values,
    schema: () =>
      values("select type || ' ' || name || ' ' || coalesce(sql, '') from sqlite_schema") as string[],
  }
}

/** Makes a step of the SQL of one migration; an author's mistake is an error. */
export function stepOf(
  plugin: string,
  version: number,
  sql: string,
  action: MigrationStep['action'] = 'up',
): MigrationStep {
  const { list, problems } = readMigrations(plugin, new Map([[`migrations/${version}_test.sql`, sql]]), [])
  const [migration] = list
  if (migration === undefined || problems.length > 0) throw new Error(problems.join('; '))
  const { description, checksum, up, down } = migration
  return { action, version, description, checksum, statements: action === 'down' ? (down ?? []) : up }
}
