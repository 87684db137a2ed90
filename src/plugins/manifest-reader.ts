import { manifestLimits } from '../base/limits/plugins.js'
import { FunctionRef, type LuaObject, type LuaValue, Rows, Tagged } from '../sandbox/lua-value.js'

/** Reads the fields of one `plugin_info` and collects what is wrong with them. */
export class ManifestReader {
  readonly problems: { readonly field: string; readonly message: string }[] = []
  readonly #info: LuaObject

  constructor(info: LuaObject) {
    this.#info = info
  }

  report(field: string, message: string): void {
    this.problems.push({ field, message })
  }

  raw(field: string): LuaValue {
    return this.#info[field]
  }

  /** A text that must be there; gives the empty text and a problem when it is not. */
  requiredText(field: string): string {
    const text = this.text(field)
    if (text !== undefined) return text
    const value = this.#info[field]
    const found = value === undefined || value === '' ? '' : `; it is ${describe(value)}`
    if (this.problems.every((problem) => problem.field !== field)) {
      this.report(field, `${field} is required: plugin_info.${field} must be a non-empty text${found}`)
    }
    return ''
  }

  /** An optional text; anything else than a text counts as absent. Runs of white space become one space. */
  text(field: string): string | undefined {
    const value = this.#info[field]
    if (typeof value !== 'string') return undefined
    const text = value.replace(/\s+/gu, ' ').trim()
    const max = field === 'version' ? manifestLimits.versionCharactersMax : manifestLimits.textCharactersMax
    if (text.length > max) this.report(field, `${field} exceeds ${max} characters: it has ${text.length}`)
    // These texts are printed on terminals, which obey control characters.
    if (/\p{Cc}/u.test(text)) this.report(field, `${field} contains a control character; remove it`)
    return text === '' ? undefined : text
  }

  /** An optional list; an empty Lua table is an empty list. */
  list(field: string): readonly LuaValue[] {
    const value = this.#info[field]
    if (value === undefined || value === null) return []
    if (isTable(value) && Object.keys(value).length === 0) return []
    if (!Array.isArray(value)) {
      this.report(field, `${field} must be a list; it is ${describe(value)}`)
      return []
    }
    if (value.length > manifestLimits.listEntriesMax) {
      this.report(
        field,
        `${field} has ${value.length} entries; the limit is ${manifestLimits.listEntriesMax}`,
      )
      return []
    }
    return value
  }

  /** An optional list of tables; entries of other types are left out. */
  tables(field: string): readonly LuaObject[] {
    return this.list(field).filter(isTable)
  }

  /** An optional table with named keys. */
  table(field: string): LuaObject | undefined {
    const value = this.#info[field]
    if (value === undefined || value === null) return undefined
    if (isTable(value)) return value
    this.report(field, `${field} must be a table; it is ${describe(value)}`)
    return undefined
  }
}

function isTable(value: LuaValue): value is LuaObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !(
    value instanceof Uint8Array ||
    value instanceof Tagged ||
    value instanceof FunctionRef ||
    value instanceof Rows
  )
}

function describe(value: LuaValue): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return 'a text'
  if (value instanceof Uint8Array) return 'a text that is not UTF-8'
  if (typeof value === 'number' || typeof value === 'bigint') return 'a number; put it between quotes'
  if (typeof value === 'boolean') return 'a boolean'
  return Array.isArray(value) ? 'a list' : 'a table'
}
