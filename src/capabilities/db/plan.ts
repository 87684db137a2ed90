import type { SqlValue } from './values.js'

/** Functions that summarise the rows of a group. */
export const aggregateFunctions = ['count', 'sum', 'avg', 'min', 'max'] as const

export type AggregateFunction = (typeof aggregateFunctions)[number]

/** A summary of rows: a function of a column, or of `*` for count. */
export interface Aggregate {
  readonly fn: AggregateFunction
  /** Column, alone or qualified, or `*`. */
  readonly arg: string
  /** Key of the result in its row. */
  readonly alias: string
}

/** What is selected, compared or sorted by: a column, alone or qualified, or an aggregate. */
export type Subject = string | Aggregate

/** Operators that compare with one value. */
export type Comparison = '=' | '<>' | '>' | '>=' | '<' | '<=' | 'like' | 'not like'

/** A filter; numbers are places in the parameters of the statement. */
export type Filter =
  | { readonly op: Comparison; readonly on: Subject; readonly value: number }
  | { readonly op: 'null' | 'not null'; readonly on: Subject }
  | { readonly op: 'in' | 'not in'; readonly on: Subject; readonly first: number; readonly count: number }
  | { readonly op: 'between'; readonly on: Subject; readonly low: number; readonly high: number }
  | { readonly op: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly op: 'not'; readonly of: Filter }

export interface Join {
  readonly type: 'inner' | 'left' | 'right'
  readonly table: string
  /** Column of the first table, or qualified. */
  readonly local: string
  /** Column of the joined table, or qualified. */
  readonly foreign: string
}

export interface OrderTerm {
  readonly on: Subject
  readonly desc: boolean
}

export interface SelectPlan {
  readonly kind: 'select' | 'count' | 'exists'
  readonly table: string
  readonly columns?: readonly Subject[]
  readonly distinct?: true
  readonly joins?: readonly Join[]
  readonly where?: Filter
  readonly groupBy?: readonly string[]
  readonly having?: Filter
  readonly orderBy?: readonly OrderTerm[]
  /** Place of the limit; exactly one row when missing. */
  readonly limit?: number
  readonly offset?: number
}

/** Columns and the places of their values. */
export type Assignments = readonly (readonly [column: string, value: number])[]

export interface UpdatePlan {
  readonly kind: 'update'
  readonly table: string
  readonly set: Assignments
  readonly where: Filter
}

export interface DeletePlan {
  readonly kind: 'delete'
  readonly table: string
  readonly where: Filter
}

export interface InsertPlan {
  readonly kind: 'insert'
  readonly table: string
  readonly columns: readonly string[]
  /** Rows of values, all of them at the beginning of the parameters, row by row. */
  readonly rows: number
  readonly conflict?: { readonly columns: readonly string[]; readonly set: Assignments }
}

/**
 * The shape of one statement without its values. It is plain JSON: equal text means equal SQL, so the text is the
 * key under which the prepared statement is kept.
 */
export type Plan = SelectPlan | UpdatePlan | DeletePlan | InsertPlan

/** The values of a statement in the order in which its plan refers to them. */
export class Parameters {
  readonly values: SqlValue[] = []

  /** Adds a value and gives its place. */
  add(value: SqlValue): number {
    return this.values.push(value) - 1
  }
}
