import { LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import { luaTypeName } from '../db/names.js'

/** Names what was given in the place of something else: numbers as they are, else the type. */
export function showGiven(value: LuaValue): string {
  return typeof value === 'number' || typeof value === 'bigint' ? `not ${value}` : `not ${luaTypeName(value)}`
}

/**
 * Reads a whole number.
 *
 * @throws LuaRaise for anything else, NaN and infinities included, and for one out of bounds.
 */
export function readCount(name: string, value: LuaValue, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw new LuaRaise(`the ${name} must be a whole number from ${min} to ${max}, ${showGiven(value)}`)
}

/** Puts the name of the function in front of what its arguments are refused with. */
export function naming<T>(title: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof LuaRaise ? new LuaRaise(`gateway.${title}: ${error.message}`) : error
  }
}
