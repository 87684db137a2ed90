/**
 * How Lua values look in TypeScript once they have crossed the border:
 *
 * | Lua                                   | TypeScript                                    |
 * |---------------------------------------|-----------------------------------------------|
 * | nil, absent                           | undefined                                     |
 * | json.null / db.null                   | null                                          |
 * | boolean                               | boolean                                       |
 * | number, integral and within 2^53      | number (3.0 and 3 are the same)               |
 * | integer beyond 2^53                   | bigint (never rounded)                        |
 * | string, valid UTF-8                   | string                                        |
 * | string, any other bytes               | Buffer                                        |
 * | sequence 1..n (n >= 1), marked array  | array                                         |
 * | any other table                       | null-prototype object, number keys as text    |
 * | table made by a capability            | Tagged                                        |
 * | function (only where declared)        | FunctionRef                                   |
 *
 * Functions, userdata and coroutines inside tables, cycles, and keys that would merge are errors.
 */
export type LuaValue =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | LuaValue[]
  | LuaObject
  | Tagged
  | FunctionRef
  | Rows
  | DecodedJson

/** A Lua table with string keys. Its prototype is null, so that `__proto__` is a key like any other. */
export interface LuaObject {
  [key: string]: LuaValue
}

/**
 * A table that only a capability can make: Lua code can hold and pass it but cannot forge one, so that decoded
 * JSON is never mistaken for a query operator. `tag` is e.g. `db.condition`.
 */
export class Tagged {
  readonly tag: string
  readonly fields: LuaObject

  constructor(tag: string, fields: LuaObject) {
    this.tag = tag
    this.fields = fields
  }
}

/** A Lua function kept in the registry of its VM. */
export class FunctionRef {
  readonly ref: number

  constructor(ref: number) {
    this.ref = ref
  }
}

/** A result set that is pushed as an array of row tables without building the objects in between. */
export class Rows {
  readonly columns: readonly string[]
  /** One array of column values per row; a null leaves the key out, as SQL NULL is nil in Lua. */
  readonly rows: readonly (readonly unknown[])[]

  constructor(columns: readonly string[], rows: readonly (readonly unknown[])[]) {
    this.columns = columns
    this.rows = rows
  }
}

/**
 * A value decoded from JSON. Null members of objects are left out, as an absent member is Lua's natural null;
 * nulls inside arrays stay, so that later elements keep their places.
 */
export class DecodedJson {
  readonly value: LuaValue

  constructor(value: LuaValue) {
    this.value = value
  }
}

/** Several Lua results of one host function. */
export class Results {
  readonly values: readonly LuaValue[]

  constructor(...values: LuaValue[]) {
    this.values = values
  }
}

/** The conventional plain failure: `nil, message`. */
export function failure(message: string): Results {
  return new Results(undefined, message)
}

/** Thrown by a host function on misuse: raises a Lua error that carries the position of the caller. */
export class LuaRaise extends Error {
  constructor(message: string) {
    // Plugins can raise thousands of these in a call, and nobody reads where in the host they come from.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message)
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'LuaRaise'
  }
}
