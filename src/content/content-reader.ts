import { type RawBuilder, sql } from 'kysely'
import type { CoreDatabase } from '../database/database.js'
import { scanGuard } from '../database/scan-guard.js'
import type { HookRow } from './hook-runner.js'
import { conditionSql, type RowCondition } from './row-condition.js'
import { type ContentTable, type ReadableTable, tableShapes } from './table-catalogue.js'

export interface RowOrder {
  readonly column: string
  readonly desc: boolean
}

/** Which rows, in which order. */
export interface RowSelection {
  /** All rows when missing. */
  readonly where?: RowCondition | undefined
  /** Ends with the id by itself, so that the order is never left to chance. */
  readonly orderBy: readonly RowOrder[]
  readonly limit: number
  /** Rows to skip; 0 when missing. */
  readonly offset?: number
  /** Bytes that the rows may have together; the first row is read whatever its size. */
  readonly bytesMax: number
}

export interface SelectedRows {
  readonly rows: readonly HookRow[]
  /** True when rows were left out because of `bytesMax`. */
  readonly isCut: boolean
}

interface MeasuredRow {
  readonly id: string
  readonly bytes: number
}

/**
 * Reads rows of content. No statement keeps the HTTP thread: each one ends by an error when it has looked at too many
 * rows, and large rows are measured before they are read.
 */
export class ContentReader {
  readonly #database: CoreDatabase
  /** Starts anywhere: two readers of one connection must not use the same numbers. */
  #statements = Math.floor(Math.random() * 2 ** 48)

  constructor(database: CoreDatabase) {
    this.#database = database
  }

  /** Gives a row by its id; undefined when there is none. */
  get(table: ReadableTable, id: string): Promise<HookRow | undefined> {
    return this.#one(table, 'id', id)
  }

  /** Gives a datatype by its name; undefined when there is none. */
  datatype(name: string): Promise<HookRow | undefined> {
    return this.#one('datatypes', 'name', name)
  }

  /** Gives a published entry by its slug; undefined when there is none, or it is not published. */
  async published(slug: string): Promise<HookRow | undefined> {
    const row = await this.#one('content_data', 'slug', slug)
    return row?.status === 'published' ? row : undefined
  }

  /** @throws HostError DATABASE_SCAN_TOO_LONG when the selection looks at too many rows. */
  async rows(table: ReadableTable, selection: RowSelection): Promise<SelectedRows> {
    const measured = await this.#measure(table, selection)
    const ids = fitting(measured, selection.bytesMax)
    const found = ids.length === 0 ? [] : await this.#load(table, sql`id in (${sql.join(ids)})`)
    const byId = new Map(found.map((row) => [row.id, row]))
    // A row that was deleted between the two statements is left out.
    const rows = ids.map((id) => byId.get(id)).filter((row) => row !== undefined)
    return { rows, isCut: ids.length < measured.length }
  }

  /**
   * Counts rows, at most `max`.
   *
   * @throws HostError DATABASE_SCAN_TOO_LONG as `rows` does.
   */
  async count(table: ReadableTable, where: RowCondition | undefined, max: number): Promise<number> {
    // Without a filter SQLite counts pages of an index, not rows.
    const matching =
      where === undefined
        ? sql`${sql.table(table)}`
        : sql`(select 1 from ${sql.table(table)} where ${this.#filter(table, where)} limit ${max})`
    const [row] = await this.#run<{ count: number }>(sql`select count(*) as count from ${matching}`)
    return Math.min(row?.count ?? 0, max)
  }

  /** Gives what a write needs to know of rows, in the order of their ids; errors as `rows` has them. */
  versions(
    table: ContentTable,
    where: RowCondition | undefined,
    limit: number,
  ): Promise<readonly { readonly id: string; readonly version: number }[]> {
    return this.#run(
      sql`select id, version from ${sql.table(table)} where ${this.#filter(table, where)} order by id limit ${limit}`,
    )
  }

  async #one(table: ReadableTable, column: string, value: string): Promise<HookRow | undefined> {
    const [row] = await this.#load(table, sql`${sql.ref(column)} = ${value}`)
    return row
  }

  /** Finds the ids of a selection with the bytes of their long columns, of which SQLite reads the length only. */
  #measure(table: ReadableTable, selection: RowSelection): Promise<readonly MeasuredRow[]> {
    const { where, orderBy, limit, offset = 0 } = selection
    const long = Object.entries(tableShapes[table].columns).filter(([, kind]) => kind === 'json')
    const lengths = long.map(([column]) => sql`coalesce(octet_length(${sql.ref(column)}), 0)`)
    const bytes = lengths.length === 0 ? sql`0` : sql.join(lengths, sql` + `)
    const last = orderBy[orderBy.length - 1]
    const terms = [...orderBy, { column: 'id', desc: last?.desc ?? false }].map(
      ({ column, desc }) => sql`${sql.ref(column)} ${desc ? sql`desc` : sql`asc`}`,
    )
    return this.#run<MeasuredRow>(
      sql`select id, ${bytes} as bytes from ${sql.table(table)} where ${this.#filter(table, where)}
          order by ${sql.join(terms)} limit ${limit} offset ${offset}`,
    )
  }

  #filter(table: ReadableTable, where: RowCondition | undefined): RawBuilder<unknown> {
    this.#statements += 1
    const guard = scanGuard(table, this.#statements)
    return where === undefined ? guard : sql`${guard} and ${conditionSql(where)}`
  }

  async #load(table: ReadableTable, where: RawBuilder<unknown>): Promise<readonly HookRow[]> {
    const stored = await this.#run<Record<string, unknown>>(
      sql`select * from ${sql.table(table)} where ${where}`,
    )
    return stored.map((row) => fromStored(table, row))
  }

  #run<Row>(query: RawBuilder<unknown>): Promise<readonly Row[]> {
    return this.#database.withBusyRetry(
      async (kysely) => (await query.execute(kysely)).rows as readonly Row[],
    )
  }
}

/** Bytes of the short columns of a row, roughly. */
const shortColumnsBytes = 1024

function fitting(measured: readonly MeasuredRow[], bytesMax: number): readonly string[] {
  let bytes = 0
  const tooMany = measured.findIndex((row, at) => {
    bytes += row.bytes + shortColumnsBytes
    return at > 0 && bytes > bytesMax
  })
  return (tooMany < 0 ? measured : measured.slice(0, tooMany)).map(({ id }) => id)
}

/** Gives a stored row the order of the catalogue and decodes its JSON columns. */
function fromStored(table: ReadableTable, stored: Readonly<Record<string, unknown>>): HookRow {
  const columns = Object.entries(tableShapes[table].columns)
  return Object.fromEntries(
    columns.map(([column, kind]) => {
      const value = stored[column] ?? null
      return [column, kind === 'json' && typeof value === 'string' ? JSON.parse(value) : value]
    }),
  )
}
