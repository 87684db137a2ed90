import { DbFailure } from './failure.js'
import { excerpt } from './names.js'
import type { Join } from './plan.js'
import type { TableInfo } from './table-info.js'

/** The tables of one statement, by the short names under which its SQL knows them. */
export class QueryScope {
  readonly main: TableInfo
  readonly joined: readonly { readonly join: Join; readonly table: TableInfo }[]
  readonly #tables: readonly TableInfo[]

  /** @throws DbFailure when a table appears twice, because its columns could not be told apart. */
  constructor(main: TableInfo, joined: readonly { readonly join: Join; readonly table: TableInfo }[] = []) {
    this.main = main
    this.joined = joined
    this.#tables = [main, ...joined.map(({ table }) => table)]
    const names = new Set(this.#tables.map(({ physical }) => physical.toLowerCase()))
    if (names.size < this.#tables.length) {
      throw new DbFailure('joins name a table twice; a table can appear once in a query')
    }
  }

  /**
   * Gives the table and column that a reference means. A bare name means the first table that has such a column.
   *
   * @throws DbFailure when a qualified name starts with a table that is not part of the statement.
   */
  resolve(reference: string): readonly [table: string, column: string] {
    const dot = reference.indexOf('.')
    if (dot >= 0) return [this.#tableNamed(reference.slice(0, dot)).short, reference.slice(dot + 1)]
    const lower = reference.toLowerCase()
    const owner = this.#tables.find(({ types }) => types.has(lower)) ?? this.main
    return [owner.short, reference]
  }

  #tableNamed(name: string): TableInfo {
    const lower = name.toLowerCase()
    const found = this.#tables.find(
      ({ short, physical }) => short.toLowerCase() === lower || physical.toLowerCase() === lower,
    )
    if (found !== undefined) return found
    throw new DbFailure(`no such table in this query: "${excerpt(name)}"; add it to joins`)
  }
}
