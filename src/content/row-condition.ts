import { type RawBuilder, sql } from 'kysely'

/** What a column is compared with. */
export type ComparedValue = string | number | bigint | Uint8Array

/** How a column can be compared with one value. */
export type RowComparison = '=' | '<>' | '>' | '>=' | '<' | '<='

/** Which rows of a table. Whoever makes one has checked that the columns exist. */
export type RowCondition =
  | { readonly op: RowComparison; readonly column: string; readonly value: ComparedValue }
  | { readonly op: 'in' | 'not in'; readonly column: string; readonly values: readonly ComparedValue[] }
  | {
      readonly op: 'between'
      readonly column: string
      readonly low: ComparedValue
      readonly high: ComparedValue
    }
  | { readonly op: 'null' | 'not null'; readonly column: string }
  | { readonly op: 'and' | 'or'; readonly of: readonly RowCondition[] }
  | { readonly op: 'not'; readonly of: RowCondition }
  /** Rows that follow one in the order of a column and then of the id. */
  | {
      readonly op: 'after'
      readonly column: string
      readonly value: ComparedValue
      readonly id: string
      readonly desc: boolean
    }

const comparisons: Readonly<Record<RowComparison, RawBuilder<unknown>>> = {
  '=': sql`=`,
  '<>': sql`<>`,
  '>': sql`>`,
  '>=': sql`>=`,
  '<': sql`<`,
  '<=': sql`<=`,
}

/** Makes the SQL of a condition; all values are bound. */
export function conditionSql(condition: RowCondition): RawBuilder<boolean> {
  switch (condition.op) {
    case 'and':
    case 'or': {
      const word = condition.op === 'and' ? sql` and ` : sql` or `
      return sql<boolean>`(${sql.join(condition.of.map(conditionSql), word)})`
    }
    case 'not':
      return sql<boolean>`not (${conditionSql(condition.of)})`
    case 'null':
      return sql<boolean>`${sql.ref(condition.column)} is null`
    case 'not null':
      return sql<boolean>`${sql.ref(condition.column)} is not null`
    case 'in':
      return sql<boolean>`${sql.ref(condition.column)} in (${sql.join(condition.values)})`
    case 'not in':
      return sql<boolean>`${sql.ref(condition.column)} not in (${sql.join(condition.values)})`
    case 'between':
      return sql<boolean>`${sql.ref(condition.column)} between ${condition.low} and ${condition.high}`
    case 'after':
      return afterSql(condition)
    default:
      return sql<boolean>`${sql.ref(condition.column)} ${comparisons[condition.op]} ${condition.value}`
  }
}

/** A comparison of pairs, which SQLite answers from one place of the index on. */
function afterSql(after: Extract<RowCondition, { op: 'after' }>): RawBuilder<boolean> {
  const word = after.desc ? sql`<` : sql`>`
  return sql<boolean>`(${sql.ref(after.column)}, id) ${word} (${after.value}, ${after.id})`
}
