import { sql } from 'kysely'
import { dbLimits } from '../../base/limits/database.js'
import { timestampOf } from '../../capabilities/db/ids.js'
import { ensureIndex } from '../../capabilities/db/indexes.js'
import type { DbSession } from '../../capabilities/db/session.js'
import { storageTriggers, storedSize } from '../../capabilities/db/table-ddl.js'
import { actualColumns, declaredColumns } from '../../capabilities/db/table-registry.js'
import { checkTable, typedColumns, unindexedKeys } from './table-rules.js'

/** What a set of tables holds. */
export interface Stored {
  readonly bytes: number
  readonly rows: number
}

/** Names of the plugin's tables that there are, in lower case, with the columns that were declared. */
export function ownTables(session: DbSession, plugin: string): Map<string, string> {
  const rows = session
    .host(
      `select lower(t.table_name) as name, t.columns as columns from plugin_tables t
         join main.sqlite_schema s on s.type = 'table' and lower(s.name) = lower(t.table_name)
        where t.plugin_name = ?`,
    )
    .all(plugin) as { name: string; columns: string }[]
  return new Map(rows.map(({ name, columns }) => [name, columns]))
}

/** Measures tables as their triggers count them. */
export function measure(session: DbSession, tables: Iterable<string>): Stored {
  let [bytes, rows] = [0, 0]
  for (const table of tables) {
    const size = storedSize(table, actualColumns(session, table)).compile(session.compiler)
    const found = session.connection.prepare(size.sql).get(size.parameters) as Stored
    bytes += found.bytes
    rows += found.rows
  }
  return { bytes, rows }
}

/** Takes the triggers away that count what is written; they name all columns, and would be in the way. */
export function dropStorageTriggers(session: DbSession, tables: Iterable<string>): void {
  for (const table of tables) {
    const triggers = session
      .host(`select name from main.sqlite_schema where type = 'trigger' and lower(tbl_name) = ?`)
      .all(table) as { name: string }[]
    for (const { name } of triggers) run(session, sql`drop trigger ${sql.id(name)}`)
  }
}

/**
 * Brings the tables that a migration has made or changed under the care of the host: checks them, indexes their foreign
 * keys, counts what they hold from now on.
 *
 * @throws Error with what the author has to change.
 */
export function adoptTables(
  session: DbSession,
  plugin: string,
  tables: readonly string[],
  own: ReadonlySet<string>,
): void {
  for (const table of tables) {
    checkTable(session.connection, plugin, table, own)
    for (const column of unindexedKeys(session.connection, table)) {
      ensureIndex(session, nameOf(session, table), [column], false)
    }
    const columns = actualColumns(session, table)
    for (const trigger of storageTriggers(nameOf(session, table), plugin, columns)) run(session, trigger)
  }
  checkReferences(session, own)
}

/** Foreign keys are not enforced while a migration runs, so that tables can be made anew; they must hold after it. */
function checkReferences(session: DbSession, own: ReadonlySet<string>): void {
  for (const table of own) {
    const broken = session
      .host('select "table", parent from pragma_foreign_key_check(?) limit 1')
      .get(table) as { table: string; parent: string } | undefined
    if (broken === undefined) continue
    throw new Error(
      `a row of ${broken.table} refers to a row of ${broken.parent} that is not there; foreign keys are checked when the migration ends, and deletes do not cascade in it`,
    )
  }
}

/**
 * Writes down which tables belong to the plugin from now on.
 *
 * @param declared Columns as they were declared before, by the name of the table that there is now.
 */
export function register(
  session: DbSession,
  plugin: string,
  own: ReadonlySet<string>,
  declared: ReadonlyMap<string, string>,
): void {
  if (own.size > dbLimits.tablesMax) {
    throw new Error(`the plugin would have ${own.size} tables; the limit is ${dbLimits.tablesMax}`)
  }
  const entries = session
    .host('select lower(table_name) as name from plugin_tables where plugin_name = ?')
    .all(plugin) as { name: string }[]
  for (const { name } of entries) {
    if (!own.has(name)) session.host('delete from plugin_tables where table_name = ?').run(name)
  }
  for (const table of own) {
    const known = declared.get(table)
    const columns = JSON.stringify(
      typedColumns(session.connection, table, known === undefined ? [] : declaredColumns(known)),
    )
    session
      .host(
        `insert into plugin_tables (table_name, plugin_name, columns, created_at) values (?, ?, ?, ?)
         on conflict (table_name) do update set columns = excluded.columns where columns <> excluded.columns`,
      )
      .run(nameOf(session, table), plugin, columns, timestampOf())
  }
}

/**
 * Writes down what the plugin's tables hold now.
 *
 * @throws Error when that is more than it may store, and more than before.
 */
export function account(
  session: DbSession,
  plugin: string,
  quotaBytes: number,
  before: Stored,
  after: Stored,
): void {
  const [bytes, rows] = [after.bytes - before.bytes, after.rows - before.rows]
  session
    .host(
      `insert into plugin_storage (plugin_name, quota_bytes, bytes, rows) values (?, ?, max(0, ?), max(0, ?))
       on conflict (plugin_name) do update set quota_bytes = excluded.quota_bytes,
         bytes = max(0, bytes + ?), rows = max(0, rows + ?)`,
    )
    .run(plugin, quotaBytes, bytes, rows, bytes, rows)
  const stored = session.host('select bytes from plugin_storage where plugin_name = ?').get(plugin) as Stored
  if (bytes <= 0 || stored.bytes <= quotaBytes) return
  throw new Error(
    `the plugin would store ${stored.bytes} bytes, and ${quotaBytes} are allowed; delete rows, or ask the operator to raise plugin_storage_quota`,
  )
}

/** The name of a table as it was written when it was made. */
function nameOf(session: DbSession, table: string): string {
  const entry = session
    .host(`select name from main.sqlite_schema where type = 'table' and lower(name) = ?`)
    .get(table) as { name: string } | undefined
  return entry?.name ?? table
}

function run(session: DbSession, statement: ReturnType<typeof sql>): void {
  session.connection.exec(statement.compile(session.compiler).sql)
}
