import { contentDatatypeChanged, contentDatatypeInUse, contentDuplicate } from './errors.js'
import type { HookRow } from './hook-runner.js'
import type { ContentTable } from './table-catalogue.js'

/** Makes what a reader understands of a constraint that a write broke; gives any other error back. */
export function writeFailure(error: unknown, table: ContentTable, row: HookRow): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'SQLITE_CONSTRAINT_UNIQUE') {
    return contentDuplicate({ table, column: table === 'datatypes' ? 'name' : 'slug' }, { cause: error })
  }
  if (code !== 'SQLITE_CONSTRAINT_FOREIGNKEY') return error
  return table === 'datatypes'
    ? contentDatatypeInUse({ datatype: String(row.name) }, { cause: error })
    : contentDatatypeChanged({ datatype: String(row.datatype) }, { cause: error })
}
