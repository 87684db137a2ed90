import { dbLimits } from '../../base/limits/database.js'
import { jsonText } from '../../sandbox/json-text.js'
import { LuaRaise, type LuaValue, Tagged } from '../../sandbox/lua-value.js'
import { DbFailure } from './failure.js'
import { luaTypeName } from './names.js'

/** Types that a column can be declared with. */
export const columnTypes = ['text', 'integer', 'real', 'blob', 'boolean', 'timestamp', 'json'] as const

export type ColumnType = (typeof columnTypes)[number]

/** What a statement binds: integers are bigint, because SQLite would take a JavaScript number for a real. */
export type SqlValue = null | bigint | number | string | Uint8Array

/**
 * Converts a value that is compared with a column.
 *
 * @throws DbFailure for a table, which never becomes an operator, for NaN and for what is too large.
 */
export function toOperand(value: LuaValue, subject: string): SqlValue {
  switch (typeof value) {
    case 'string':
      return checkedText(value, subject)
    case 'number':
      if (Number.isSafeInteger(value)) return BigInt(value)
      if (Number.isNaN(value)) throw new DbFailure(`${subject}: NaN cannot be stored or compared`)
      return value
    case 'bigint':
      return value
    case 'boolean':
      return value ? 1n : 0n
    default:
      if (value === null) return null
      if (value instanceof Uint8Array) return checkedBytes(value, subject)
      throw new DbFailure(
        `${subject}: expected a value (string, number, boolean or db.null), got ${describe(value)}`,
      )
  }
}

/**
 * Converts a value that is written to a column of the given type; undefined is a column that was not declared.
 *
 * @throws DbFailure when the column does not take it.
 */
export function toColumnValue(value: LuaValue, type: ColumnType | undefined, column: string): SqlValue {
  const subject = `column "${column}"`
  if (type === 'boolean') return toFlag(value, subject)
  if (type === 'json' && typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    return checkedText(encodeJson(value, subject), subject)
  }
  return toOperand(value, subject)
}

function toFlag(value: LuaValue, subject: string): SqlValue {
  if (value === null) return null
  if (value === true || value === 1) return 1n
  if (value === false || value === 0) return 0n
  throw new DbFailure(`${subject} is boolean: expected true, false, 1 or 0, got ${describe(value)}`)
}

function describe(value: LuaValue): string {
  return value instanceof Tagged ? 'an operator' : `a ${luaTypeName(value)}`
}

function checkedText(text: string, subject: string): string {
  // A UTF-16 unit takes at most three bytes.
  if (text.length * 3 > dbLimits.valueBytesMax) checkSize(Buffer.byteLength(text), subject)
  return text
}

function checkedBytes(bytes: Uint8Array, subject: string): Uint8Array {
  checkSize(bytes.length, subject)
  return bytes
}

function checkSize(bytes: number, subject: string): void {
  if (bytes <= dbLimits.valueBytesMax) return
  throw new DbFailure(`${subject}: the value has ${bytes} bytes; the limit is ${dbLimits.valueBytesMax}`)
}

/** Writes JSON with sorted keys, so that the same table is always stored as the same text. */
function encodeJson(value: LuaValue, subject: string): string {
  try {
    return jsonText(value, dbLimits.valueBytesMax)
  } catch (error) {
    if (error instanceof LuaRaise)
      throw new DbFailure(`${subject} cannot be stored as JSON: ${error.message}`)
    throw error
  }
}

const safeMax = BigInt(Number.MAX_SAFE_INTEGER)

/** Converts what SQLite gave: an integer stays exact, as a number where one can hold it. */
export function fromSql(value: unknown): LuaValue {
  if (typeof value === 'bigint') return value <= safeMax && value >= -safeMax ? Number(value) : value
  return value as LuaValue
}
