import { type LuaObject, LuaRaise, type LuaValue, Tagged } from '../../sandbox/lua-value.js'
import { describe } from './read-values.js'

/** Options that Lua and TypeScript write differently. */
const otherNames: Readonly<Record<string, string>> = {
  expires_in: 'expiresIn',
  backoff_schedule: 'backoffSchedule',
  keys_if_undelivered: 'keysIfUndelivered',
}

/**
 * Reads a table of options.
 *
 * @param known Names of the options, as plugins write them.
 * @throws LuaRaise for what is no table, and for an option that does not exist: a misspelt one would change nothing.
 */
export function readOptions(options: LuaValue, known: readonly string[]): LuaObject {
  if (options === undefined) return Object.create(null) as LuaObject
  const isTable = typeof options === 'object' && options !== null && !(options instanceof Tagged)
  if (!isTable || Object.getPrototypeOf(options) !== null) {
    if (Array.isArray(options) && options.length === 0) return Object.create(null) as LuaObject
    throw new LuaRaise(`the options must be a table such as { ${known[0]} = ... }, not ${describe(options)}`)
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new LuaRaise(`unknown option ${JSON.stringify(name.slice(0, 64))}; there are ${known.join(', ')}`)
    }
  }
  return options as LuaObject
}

/** Tells readers of Lua what an option of the store is called there. */
export function inLuaNames(message: string): string {
  let text = message
  for (const [lua, other] of Object.entries(otherNames)) text = text.replaceAll(other, lua)
  return text
}
