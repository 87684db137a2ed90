import type { CoreTablePolicy } from '../capabilities/core/policy.js'
import type { CoreFilter } from '../capabilities/core/wire.js'
import type { Comparison, Filter, OrderTerm, Subject } from '../capabilities/db/plan.js'
import type { SqlValue } from '../capabilities/db/values.js'
import type { RowOrder } from '../content/content-reader.js'
import type { ComparedValue, RowComparison, RowCondition } from '../content/row-condition.js'
import { columnKind, type ReadableTable, tableShapes } from '../content/table-catalogue.js'
import { coreColumnBlocked, coreColumnUnknown, coreOperatorUnsupported } from './core-errors.js'

const comparisons: readonly Comparison[] = ['=', '<>', '>', '>=', '<', '<=']

/**
 * Reads what a plugin wants of one table in the terms of the content. Columns that it may not see are refused in every
 * place: also a filter or an order would tell what is in them.
 */
export class CoreScope {
  readonly #table: ReadableTable
  readonly #policy: CoreTablePolicy

  constructor(table: ReadableTable, policy: CoreTablePolicy) {
    this.#table = table
    this.#policy = policy
  }

  /** @throws HostError for columns and operators that cannot be used; nothing is left out. */
  condition({ filter, values }: CoreFilter): RowCondition | undefined {
    return filter === undefined ? undefined : this.#condition(filter, values)
  }

  order(terms: readonly OrderTerm[]): readonly RowOrder[] {
    return terms.map(({ on, desc }) => ({ column: this.#comparable(on, 'order_by'), desc }))
  }

  /** Gives the columns that were asked for, or all that plugins see. */
  columns(wanted: readonly string[] | undefined): readonly string[] {
    if (wanted !== undefined) return wanted.map((column) => this.#visible(column, 'columns'))
    return Object.keys(tableShapes[this.#table].columns).filter(
      (column) => !this.#policy.hidden.includes(column),
    )
  }

  #condition(filter: Filter, values: readonly SqlValue[]): RowCondition {
    switch (filter.op) {
      case 'and':
      case 'or':
        return { op: filter.op, of: filter.of.map((each) => this.#condition(each, values)) }
      case 'not':
        return { op: 'not', of: this.#condition(filter.of, values) }
      case 'null':
      case 'not null':
        return { op: filter.op, column: this.#comparable(filter.on, 'where') }
      case 'in':
      case 'not in': {
        const { first, count } = filter
        const list = Array.from({ length: count }, (_, at) => valueAt(values, first + at))
        return { op: filter.op, column: this.#comparable(filter.on, 'where'), values: list }
      }
      case 'between': {
        const column = this.#comparable(filter.on, 'where')
        return { op: 'between', column, low: valueAt(values, filter.low), high: valueAt(values, filter.high) }
      }
      default:
        return this.#comparison(filter, values)
    }
  }

  #comparison(filter: Extract<Filter, { op: Comparison }>, values: readonly SqlValue[]): RowCondition {
    const { op, on, value } = filter
    // LIKE compares every text of a table with the pattern, on the thread that all requests share.
    if (!comparisons.includes(op)) throw coreOperatorUnsupported({ operator: op })
    return { op: op as RowComparison, column: this.#comparable(on, 'where'), value: valueAt(values, value) }
  }

  #comparable(on: Subject, clause: string): string {
    const column = this.#visible(typeof on === 'string' ? on : on.alias, clause)
    if (columnKind(this.#table, column) !== 'json') return column
    throw coreColumnUnknown({ problem: `${clause} names the column "${column}", which holds JSON` })
  }

  #visible(column: string, clause: string): string {
    const table = this.#table
    const shown = column.slice(0, 80)
    if (this.#policy.hidden.includes(column.toLowerCase())) {
      throw coreColumnBlocked({ clause, column: shown, table })
    }
    if (columnKind(table, column) !== undefined) return column
    const known = this.columns(undefined).join(', ')
    throw coreColumnUnknown({ problem: `${clause} names the column "${shown}"; ${table} has ${known}` })
  }
}

function valueAt(values: readonly SqlValue[], place: number): ComparedValue {
  const value = values[place]
  if (value === undefined || value === null) throw new Error(`a condition refers to the value ${place}`)
  return value
}
