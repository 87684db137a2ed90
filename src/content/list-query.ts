import { contentLimits } from '../base/limits/content.js'
import type { RowOrder } from './content-reader.js'
import { cursorText, parseCursor } from './cursor.js'
import { contentQueryInvalid } from './errors.js'
import type { HookRow } from './hook-runner.js'
import type { RowCondition } from './row-condition.js'
import { type ReadableTable, tableShapes } from './table-catalogue.js'

/** A page of a list that somebody asks for. */
export interface ListQuery {
  /** The order as it was named, e.g. `-updated_at`. */
  readonly sort: string
  readonly order: RowOrder
  readonly where: RowCondition | undefined
  readonly limit: number
}

const filterKey = /^filter\[([a-z_]{1,64})\]$/

/**
 * Reads the query of a list: `filter[status]=draft`, `sort=-updated_at`, `limit=20`, `cursor=...`.
 *
 * @throws HostError CONTENT_QUERY_INVALID for anything else, CONTENT_CURSOR_INVALID for a cursor of another list.
 */
export function parseListQuery(table: ReadableTable, query: Readonly<Record<string, unknown>>): ListQuery {
  const filters: RowCondition[] = []
  for (const key of Object.keys(query)) {
    const column = filterKey.exec(key)?.[1]
    if (column !== undefined) filters.push(parseFilter(table, column, textOf(query, key)))
    else if (!['sort', 'limit', 'cursor'].includes(key)) throw unknownKey(key)
  }
  const sort = query.sort === undefined ? tableShapes[table].defaultSort : textOf(query, 'sort')
  const order = parseSort(table, sort)
  const limit = query.limit === undefined ? contentLimits.pageRowsDefault : parseLimit(textOf(query, 'limit'))
  if (query.cursor !== undefined) {
    const { value, id } = parseCursor(textOf(query, 'cursor'), sort)
    filters.push({ op: 'after', column: order.column, value, id, desc: order.desc })
  }
  return { sort, order, limit, where: filters.length === 0 ? undefined : { op: 'and', of: filters } }
}

/** Makes the cursor behind a row of a list. */
export function cursorBehind({ sort, order }: ListQuery, row: HookRow): string {
  return cursorText({ sort, value: String(row[order.column]), id: String(row.id) })
}

function parseFilter(table: ReadableTable, column: string, value: string): RowCondition {
  const { filters } = tableShapes[table]
  if (!filters.includes(column)) {
    throw contentQueryInvalid({
      problem: `${table} cannot be filtered by "${column}"; it can by ${filters.join(', ')}`,
    })
  }
  return { op: '=', column, value }
}

function parseSort(table: ReadableTable, sort: string): RowOrder {
  const desc = sort.startsWith('-')
  const column = desc ? sort.slice(1) : sort
  const { sorts } = tableShapes[table]
  if (!sorts.includes(column)) {
    throw contentQueryInvalid({
      problem: `${table} cannot be sorted by ${JSON.stringify(sort.slice(0, 80))}; it can by ${sorts.join(', ')}, descending with "-" in front`,
    })
  }
  return { column, desc }
}

function parseLimit(text: string): number {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > contentLimits.pageRowsMax) {
    throw contentQueryInvalid({
      problem: `limit is ${JSON.stringify(text.slice(0, 80))}; it must be a number from 1 to ${contentLimits.pageRowsMax}`,
    })
  }
  return limit
}

function textOf(query: Readonly<Record<string, unknown>>, key: string): string {
  const value = query[key]
  if (typeof value !== 'string') throw contentQueryInvalid({ problem: `${key} is given more than once` })
  const charactersMax =
    key === 'cursor' ? contentLimits.cursorCharactersMax : contentLimits.filterCharactersMax
  if (value.length > charactersMax) {
    throw contentQueryInvalid({
      problem: `${key} has ${value.length} characters; the limit is ${charactersMax}`,
    })
  }
  return value
}

function unknownKey(key: string): Error {
  const name = JSON.stringify(key.slice(0, 80))
  return contentQueryInvalid({
    problem: `the query has the unknown key ${name}; a list takes filter[column], sort, limit and cursor`,
  })
}
