import type { Database } from 'better-sqlite3'

/** An entry of the schema of the database. */
export interface SchemaEntry {
  readonly type: string
  readonly name: string
  /** The table that it belongs to, in lower case. */
  readonly table: string
  readonly sql: string | null
  readonly root: number
}

/** Reads the whole schema. */
export function readSchema(connection: Database): readonly SchemaEntry[] {
  return connection
    .prepare<[], SchemaEntry>(
      'select type, name, lower(tbl_name) as "table", sql, rootpage as root from main.sqlite_schema',
    )
    .all()
}

/**
 * Compares the part of the schema that is none of the plugin's before and after a migration.
 *
 * @param own Names of the plugin's tables before and after, in lower case.
 * @returns What was added, changed or removed; undefined when nothing was.
 */
export function findForeignChange(
  before: readonly SchemaEntry[],
  after: readonly SchemaEntry[],
  own: ReadonlySet<string>,
): string | undefined {
  const foreign = (entries: readonly SchemaEntry[]) => {
    const others = entries.filter(({ table }) => !own.has(table))
    return new Map(others.map(({ type, name, table, sql }) => [`${type} ${name}`, `${table} ${sql}`]))
  }
  const [old, current] = [foreign(before), foreign(after)]
  for (const [name, text] of old) if (current.get(name) !== text) return name
  for (const name of current.keys()) if (!old.has(name)) return name
  return undefined
}
