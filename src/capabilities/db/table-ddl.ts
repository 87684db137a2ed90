import { type RawBuilder, sql } from 'kysely'
import { dbLimits } from '../../base/limits/database.js'
import { columnsOf } from './compile-filter.js'
import { quotaExceeded } from './sql-errors.js'
import type { ColumnDefinition, ForeignKeyDefinition, TableDefinition } from './table-definition.js'
import type { ColumnType } from './values.js'

const sqlTypes: Readonly<Record<ColumnType, RawBuilder<unknown>>> = {
  text: sql`text`,
  integer: sql`integer`,
  real: sql`real`,
  blob: sql`blob`,
  boolean: sql`integer`,
  timestamp: sql`text`,
  json: sql`text`,
}

/** A foreign key whose table is known to belong to the plugin. */
export type ResolvedForeignKey = ForeignKeyDefinition & { readonly physical: string }

/** Makes the SQL that creates a table. */
export function createTable(
  physical: string,
  definition: TableDefinition,
  foreignKeys: readonly ResolvedForeignKey[],
): RawBuilder<unknown> {
  const parts = [...definition.columns.map(column), ...foreignKeys.map(foreignKey)]
  return sql`create table ${sql.id(physical)} (${sql.join(parts)})`
}

function column({ name, type, notNull, unique, otherwise }: ColumnDefinition): RawBuilder<unknown> {
  const key = name === 'id' ? sql` primary key` : sql``
  const required = notNull ? sql` not null` : sql``
  const once = unique ? sql` unique` : sql``
  const value = otherwise === undefined ? sql`` : sql` default ${sql.lit(otherwise)}`
  return sql`${sql.id(name)} ${sqlTypes[type]}${key}${required}${once}${value}`
}

function foreignKey(key: ResolvedForeignKey): RawBuilder<unknown> {
  const action = key.onDelete === undefined ? sql`` : sql` on delete ${sql.raw(key.onDelete)}`
  return sql`foreign key (${sql.id(key.column)}) references ${sql.id(key.physical)} (${sql.id(key.refColumn)})${action}`
}

/** Makes the SQL that creates an index. */
export function createIndexSql(
  name: string,
  physical: string,
  columns: readonly string[],
  unique: boolean,
): RawBuilder<unknown> {
  const kind = unique ? sql`unique index` : sql`index`
  return sql`create ${kind} ${sql.id(name)} on ${sql.id(physical)} (${columnsOf(columns)})`
}

/**
 * Makes the triggers that keep `plugin_storage` exact for one table, whatever writes to it: statements of the plugin,
 * cascades, or an operator. A row that would pass the quota aborts its statement.
 */
export function storageTriggers(
  physical: string,
  plugin: string,
  columns: readonly string[],
): readonly RawBuilder<unknown>[] {
  const owner = sql.lit(plugin)
  const after = rowSize('new', columns)
  const before = rowSize('old', columns)
  const refuse = sql`select raise(abort, ${sql.lit(quotaExceeded)}) where exists
    (select 1 from plugin_storage where plugin_name = ${owner} and bytes > quota_bytes)`
  const trigger = (
    event: string,
    when: RawBuilder<unknown>,
    body: RawBuilder<unknown>,
  ): RawBuilder<unknown> =>
    sql`create trigger ${sql.id(`${physical}__stored_${event}`)} after ${sql.raw(event)} on ${sql.id(physical)}
    ${when} begin ${body}; end`
  return [
    trigger(
      'insert',
      sql``,
      sql`update plugin_storage set bytes = bytes + ${after}, rows = rows + 1 where plugin_name = ${owner}; ${refuse}`,
    ),
    trigger(
      'update',
      sql`when ${after} <> ${before}`,
      sql`update plugin_storage set bytes = bytes + ${after} - ${before} where plugin_name = ${owner}; ${refuse} and ${after} > ${before}`,
    ),
    trigger(
      'delete',
      sql``,
      sql`update plugin_storage set bytes = max(0, bytes - ${before}), rows = max(0, rows - 1) where plugin_name = ${owner}`,
    ),
  ]
}

/** Makes the query that gives `bytes` and `rows` of a table, as its triggers count them. */
export function storedSize(physical: string, columns: readonly string[]): RawBuilder<unknown> {
  const size = rowSize('t', columns)
  return sql`select cast(total(${size}) as integer) as bytes, count(*) as rows from ${sql.id(physical)} as t`
}

function rowSize(row: 'new' | 'old' | 't', columns: readonly string[]): RawBuilder<unknown> {
  const sizes = columns.map((name) => sql`coalesce(octet_length(${sql.raw(row)}.${sql.id(name)}), 0)`)
  return sql`(${sql.join([sql.lit(dbLimits.rowOverheadBytes), ...sizes], sql` + `)})`
}
