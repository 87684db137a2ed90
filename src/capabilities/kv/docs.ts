import { kvLimits } from '../../base/limits/kv.js'
import type { ParamDoc, ReturnDoc } from '../define.js'

/** The first parameter of functions that act on one entry. */
export const keyParam: ParamDoc = {
  name: 'key',
  type: 'any',
  luaType: 'kv.Key',
  doc: 'Where the entry is: a list of parts, from the general to the special, e.g. `{ "users", 42 }`.',
}

/** The prefix of functions that act on a range. */
export const prefixParam: ParamDoc = {
  name: 'prefix',
  type: 'any',
  optional: true,
  luaType: 'kv.Key?',
  doc: 'What their keys begin with; every key when missing or `{}`. The entry at the prefix itself is not meant.',
}

/** The same where it has to be given. */
export const indexPrefixParam: ParamDoc = {
  name: 'prefix',
  type: 'any',
  luaType: 'kv.Key',
  doc: 'What the keys of the indexed entries begin with; every key with `{}`.',
}

/** The last parameter of most functions. */
export function optionsParam(luaType: string, doc: string): ParamDoc {
  return { name: 'options', type: 'any', optional: true, luaType, doc }
}

/** The message that follows nil when a function that gives a value fails. */
export const errorReturned: ReturnDoc = {
  luaType: 'string?',
  doc: 'Why it failed: the database is busy, the namespace is full, the value is too large, access is not approved.',
}

/** What values may be, for texts of functions that take one. */
export const valueLimits = [
  `A value is what JSON has, besides bytes, counters and large integers, ${kvLimits.valueBytesMax} bytes at most; a key has`,
  `up to ${kvLimits.keyPartsMax} parts and ${kvLimits.keyBytesMax} bytes. Raises for nil, for functions, cycles and NaN, and`,
  'for what is no key.',
].join('\n')
