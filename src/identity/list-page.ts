import { accountLimits } from '../base/limits/identity.js'
import { accountQueryInvalid } from './errors.js'

/** Which part of a list somebody wants. */
export interface PageQuery {
  /** Items at most, 1 to `accountLimits.pageMax`; `accountLimits.pageDefault` when missing. */
  readonly limit?: number | undefined
  /** `nextCursor` of the page before; the first page when missing. */
  readonly cursor?: string | undefined
}

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[]
  /** Where the next page begins; undefined when this is the last. */
  readonly nextCursor: string | undefined
}

/**
 * Checks how long a page may be.
 *
 * @throws `ACCOUNT_QUERY_INVALID`
 */
export function pageLimit({ limit = accountLimits.pageDefault }: PageQuery): number {
  const { pageMax } = accountLimits
  if (Number.isInteger(limit) && limit >= 1 && limit <= pageMax) return limit
  throw accountQueryInvalid({ problem: `limit is ${limit}; it takes 1 to ${pageMax}` })
}

/**
 * Reads a cursor.
 *
 * @param list Name of the list that it is used for.
 * @returns The key of the last item before the page; undefined for the first page.
 * @throws `ACCOUNT_QUERY_INVALID` for anything that `makePage` has not made for that list.
 */
export function keyBefore(list: string, { cursor }: PageQuery): string | undefined {
  if (cursor === undefined) return undefined
  const parts = cursor.length <= accountLimits.cursorCharactersMax ? decode(cursor) : undefined
  if (Array.isArray(parts) && parts.length === 2) {
    const [ofList, key] = parts
    if (ofList === list && typeof key === 'string') return key
  }
  throw accountQueryInvalid({ problem: 'cursor is not the nextCursor of a page of this list' })
}

/**
 * Makes a page.
 *
 * @param rows One more than the limit where there is a further page.
 * @param keyOf What the list is ordered by; no two items have the same.
 */
export function makePage<T>(
  list: string,
  rows: readonly T[],
  limit: number,
  keyOf: (row: T) => string,
): Page<T> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const hasMore = rows.length > limit && last !== undefined
  const nextCursor = hasMore
    ? Buffer.from(JSON.stringify([list, keyOf(last)])).toString('base64url')
    : undefined
  return { items, nextCursor }
}

function decode(text: string): unknown {
  if (!/^[\w-]+$/.test(text)) return undefined
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
