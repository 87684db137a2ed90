import type { Filter, OrderTerm } from '../db/plan.js'
import type { SqlValue } from '../db/values.js'

/** The questions that the module asks of the host, by function; a topic is `core.` and this name. */
export const coreFunctions = ['query', 'query_one', 'count', 'exists', 'insert', 'update', 'delete'] as const

export type CoreFunction = (typeof coreFunctions)[number]

/** Which rows: conditions as `db.*` reads them, with the values that they refer to by place. */
export interface CoreFilter {
  readonly table: string
  /** All rows when undefined. */
  readonly filter: Filter | undefined
  readonly values: readonly SqlValue[]
}

/** A query, a count or a test for existence. */
export interface CoreSelect extends CoreFilter {
  /** All columns when undefined. */
  readonly columns: readonly string[] | undefined
  readonly orderBy: readonly OrderTerm[]
  readonly limit: number
  readonly offset: number
}

/** A new row; `values` is a JSON object. */
export interface CoreInsert {
  readonly table: string
  readonly values: string
}

/** A change of rows; `set` is a JSON object. */
export interface CoreUpdate extends CoreFilter {
  readonly set: string
}

/** What the host answers: a value as JSON text, or a plain failure. Misuse is thrown. */
export type CoreAnswer =
  | { readonly ok: true; readonly json: string }
  | { readonly ok: false; readonly message: string }
