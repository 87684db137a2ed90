import { type LuaObject, type LuaValue, Tagged } from '../../sandbox/lua-value.js'
import { DbFailure } from './failure.js'
import { excerpt, luaTypeName } from './names.js'

const noOptions: Readonly<LuaObject> = Object.freeze(Object.create(null) as LuaObject)

/**
 * Reads a table of named options; nil and an empty list are no options.
 *
 * @throws DbFailure for anything else.
 */
export function optionsObject(options: LuaValue): Readonly<LuaObject> {
  if (options === undefined) return noOptions
  if (Array.isArray(options) && options.length === 0) return noOptions
  if (isObject(options)) return options
  throw new DbFailure(`options must be a table with named fields, got ${luaTypeName(options)}`)
}

/** Tells whether a value is a table with named fields that no capability made. */
export function isObject(value: LuaValue): value is LuaObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !(value instanceof Uint8Array) && !(value instanceof Tagged)
}

/**
 * Refuses unknown options, so that a misspelt filter is an error and not an empty filter.
 *
 * @param what What the options belong to, for the message.
 * @throws DbFailure that lists the options there are.
 */
export function checkKeys(options: Readonly<LuaObject>, known: ReadonlySet<string>, what: string): void {
  for (const key in options) {
    if (!known.has(key)) {
      throw new DbFailure(`unknown option "${excerpt(key)}" for ${what}; known are ${[...known].join(', ')}`)
    }
  }
}
