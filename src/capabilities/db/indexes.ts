import { sql } from 'kysely'
import { dbLimits } from '../../base/limits/database.js'
import type { LuaValue } from '../../sandbox/lua-value.js'
import type { DbUse } from './execute.js'
import { DbFailure } from './failure.js'
import { columnName } from './names.js'
import { checkKeys, isObject } from './options.js'
import type { DbSession } from './session.js'
import { createIndexSql } from './table-ddl.js'
import { requireTable } from './table-registry.js'
import { asUnit } from './transaction.js'

const indexKeys: ReadonlySet<string> = new Set(['columns', 'unique'])

/**
 * Creates an index unless the table has the same one.
 *
 * @throws DbFailure
 */
export function createIndex(use: DbUse, name: string, options: LuaValue): void {
  const { session, call } = use
  if (!isObject(options)) throw new DbFailure('create_index: options must be a table with columns')
  checkKeys(options, indexKeys, 'create_index')
  const { columns: given, unique = false } = options
  if (!Array.isArray(given) || given.length === 0) {
    throw new DbFailure('create_index: columns must be a non-empty list of column names')
  }
  if (typeof unique !== 'boolean') throw new DbFailure('create_index: unique must be true or false')
  const columns = given.map((column) => columnName('', column))
  const table = requireTable(session, call.owner, name)
  for (const column of columns) {
    if (!table.types.has(column.toLowerCase())) {
      throw new DbFailure(`create_index: no such column: ${name}.${column}`)
    }
  }
  asUnit(session, call, () => ensureIndex(session, table.physical, columns, unique))
}

/**
 * Creates an index inside the current transaction unless the table has the same one. The name is made of the table
 * and the columns; where another index has it, a number follows.
 *
 * @throws DbFailure when the table has too many indexes, or too many rows to build one without blocking.
 */
export function ensureIndex(
  session: DbSession,
  physical: string,
  columns: readonly string[],
  unique: boolean,
): void {
  const base = `idx_${physical}_${columns.join('_')}`
  for (let number = 1; number <= dbLimits.indexesMax + 1; number += 1) {
    const name = number === 1 ? base : `${base}__${number}`
    const text = createIndexSql(name, physical, columns, unique).compile(session.compiler).sql
    const known = session.host(`select sql from sqlite_master where type = 'index' and name = ?`).get(name) as
      | { sql: string | null }
      | undefined
    if (known === undefined) {
      checkRoom(session, physical)
      checkBytes(session, physical, columns)
      session.connection.exec(text)
      return
    }
    if (known.sql?.toLowerCase() === text.toLowerCase()) return
  }
  throw new DbFailure(`create_index: too many indexes have the name ${columns.join('_')}`)
}

function checkRoom(session: DbSession, physical: string): void {
  const { count } = session
    .host(
      `select count(*) as count from sqlite_master where type = 'index' and tbl_name = ? and sql is not null`,
    )
    .get(physical) as { count: number }
  if (count >= dbLimits.indexesMax) {
    throw new DbFailure(`create_index: the table has ${count} indexes; the limit is ${dbLimits.indexesMax}`)
  }
  const probe = sql`select 1 from ${sql.id(physical)} limit 1 offset ${dbLimits.indexedRowsMax}`.compile(
    session.compiler,
  )
  if (session.connection.prepare(probe.sql).get(probe.parameters) !== undefined) {
    throw new DbFailure(
      `create_index: the table has more than ${dbLimits.indexedRowsMax} rows; define the index before the table grows`,
    )
  }
}

function checkBytes(session: DbSession, physical: string, columns: readonly string[]): void {
  const sizes = columns.map((column) => sql`coalesce(octet_length(${sql.id(column)}), 0)`)
  const probe = sql`select total(${sql.join(sizes, sql` + `)}) as bytes from ${sql.id(physical)}`.compile(
    session.compiler,
  )
  const { bytes } = session.connection.prepare(probe.sql).get() as { bytes: number }
  if (bytes > dbLimits.indexedBytesMax) {
    throw new DbFailure(
      `create_index: the columns hold ${bytes} bytes, more than ${dbLimits.indexedBytesMax}; define the index before the table grows, or index shorter values`,
    )
  }
}
