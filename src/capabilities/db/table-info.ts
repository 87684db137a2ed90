import type { ColumnType } from './values.js'

/** A table that a plugin owns. */
export interface TableInfo {
  /** Name in Lua. */
  readonly short: string
  /** Name in the database. */
  readonly physical: string
  /** Columns in their order in the database. */
  readonly columns: readonly string[]
  /** Type of each column that was declared, by its name in lower case; undefined for a column added by others. */
  readonly types: ReadonlyMap<string, ColumnType | undefined>
}
