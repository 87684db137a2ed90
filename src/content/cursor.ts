import { contentLimits } from '../base/limits/content.js'
import { contentCursorInvalid } from './errors.js'

/** The place in a list behind which the next page begins. */
export interface Cursor {
  /** The order of the list, as `sort` names it. */
  readonly sort: string
  /** Value of the last row in the column of the order. */
  readonly value: string
  /** Id of the last row. */
  readonly id: string
}

/** Writes a cursor; nobody but `parseCursor` looks inside. */
export function cursorText({ sort, value, id }: Cursor): string {
  return Buffer.from(JSON.stringify([sort, value, id])).toString('base64url')
}

/**
 * Reads a cursor.
 *
 * @param sort The order of the list that it is used for.
 * @throws HostError CONTENT_CURSOR_INVALID for anything that `cursorText` has not made for that order.
 */
export function parseCursor(text: string, sort: string): Cursor {
  const parts = text.length <= contentLimits.cursorCharactersMax ? decode(text) : undefined
  if (!Array.isArray(parts) || parts.length !== 3) throw contentCursorInvalid()
  const [ofSort, value, id] = parts
  if (ofSort !== sort || typeof value !== 'string' || typeof id !== 'string') throw contentCursorInvalid()
  return { sort, value, id }
}

function decode(text: string): unknown {
  if (!/^[\w-]+$/.test(text)) return undefined
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
