import { dbLimits } from '../../base/limits/database.js'
import type { LuaValue } from '../../sandbox/lua-value.js'
import { DbFailure } from './failure.js'
import { columnReference, luaTypeName } from './names.js'
import type { Comparison, Filter, Parameters, Subject } from './plan.js'
import { toOperand } from './values.js'

/** Joins filters; one alone stays as it is. */
export function allOf(op: 'and' | 'or', filters: readonly Filter[]): Filter {
  const [only] = filters
  return filters.length === 1 && only !== undefined ? only : { op, of: filters }
}

/** What the parts of one filter share: its limits, its parameters, and the making of single conditions. */
export class FilterScope {
  /** A condition list was read. */
  hasConditions = false
  /** A condition compares with a value. */
  bindsValue = false
  readonly #clause: string
  readonly #parameters: Parameters
  readonly #aliases: ReadonlyMap<string, Subject>
  #mapConditions = 0
  #nodes = 0
  #likes = 0

  /**
   * @param clause `where ` or `having `, with its space, for messages.
   * @param aliases Names that stand for aggregates; none when missing.
   */
  constructor(clause: string, parameters: Parameters, aliases: ReadonlyMap<string, Subject> = new Map()) {
    this.#clause = clause
    this.#parameters = parameters
    this.#aliases = aliases
  }

  /** Name of the clause without its space. */
  get clause(): string {
    return this.#clause.trimEnd()
  }

  /** Gives the column or aggregate that a name stands for. */
  subject(name: LuaValue): Subject {
    const alias = typeof name === 'string' ? this.#aliases.get(name) : undefined
    return alias ?? columnReference(this.#clause, name)
  }

  nameOf(on: Subject): string {
    return `${this.clause} "${typeof on === 'string' ? on : on.alias}"`
  }

  countMapCondition(): void {
    this.#mapConditions += 1
    if (this.#mapConditions > dbLimits.mapConditionsMax) {
      throw new DbFailure(
        `${this.clause} exceeds the maximum node count of ${dbLimits.mapConditionsMax} conditions in maps`,
      )
    }
  }

  /** Counts a node of a condition list; `depth` is the number of AND, OR and NOT around it. */
  countNode(depth: number): void {
    this.#nodes += 1
    if (this.#nodes > dbLimits.conditionNodesMax) {
      throw new DbFailure(`${this.clause} exceeds the maximum node count of ${dbLimits.conditionNodesMax}`)
    }
    if (depth > dbLimits.conditionDepthMax) {
      throw new DbFailure(`${this.clause} exceeds the maximum depth of ${dbLimits.conditionDepthMax}`)
    }
  }

  compare(op: Comparison, on: Subject, value: LuaValue): Filter {
    if (value === undefined || value === null) {
      throw new DbFailure(
        `${this.nameOf(on)}: nothing compares with nil or null; use IS NULL or db.is_null()`,
      )
    }
    if (op === 'like' || op === 'not like') this.#checkPattern(on, value)
    this.bindsValue = true
    return { op, on, value: this.#operand(on, value) }
  }

  member(op: 'in' | 'not in', on: Subject, values: LuaValue): Filter {
    if (!Array.isArray(values) || values.length === 0) {
      throw new DbFailure(`${this.nameOf(on)}: IN takes a list of at least one value`)
    }
    if (values.length > dbLimits.inValuesMax) {
      throw new DbFailure(
        `${this.nameOf(on)}: IN exceeds maximum values (${values.length}; the limit is ${dbLimits.inValuesMax})`,
      )
    }
    if (values.some((value) => value === null || value === undefined)) {
      throw new DbFailure(`${this.nameOf(on)}: IN never matches null; add IS NULL with OR`)
    }
    this.bindsValue = true
    const places = values.map((value) => this.#operand(on, value))
    // Lists are filled up to a power of two with their last value, so that few statements serve all lengths.
    const count = 2 ** Math.ceil(Math.log2(places.length))
    while (places.length < count) places.push(this.#operand(on, values[values.length - 1]))
    return { op, on, first: places[0] ?? 0, count }
  }

  range(on: Subject, low: LuaValue, high: LuaValue): Filter {
    if (low === undefined || high === undefined || low === null || high === null) {
      throw new DbFailure(`${this.nameOf(on)}: BETWEEN requires two non-nil values`)
    }
    this.bindsValue = true
    return { op: 'between', on, low: this.#operand(on, low), high: this.#operand(on, high) }
  }

  #operand(on: Subject, value: LuaValue): number {
    return this.#parameters.add(toOperand(value, this.nameOf(on)))
  }

  #checkPattern(on: Subject, value: LuaValue): void {
    if (typeof value !== 'string') {
      throw new DbFailure(`${this.nameOf(on)}: LIKE requires a string value, got ${luaTypeName(value)}`)
    }
    this.#likes += 1
    if (this.#likes > dbLimits.likeConditionsMax) {
      throw new DbFailure(`${this.clause} has more than ${dbLimits.likeConditionsMax} LIKE conditions`)
    }
    const bytes = Buffer.byteLength(value)
    if (bytes > dbLimits.likePatternBytesMax) {
      throw new DbFailure(
        `${this.nameOf(on)}: the LIKE pattern has ${bytes} bytes; the limit is ${dbLimits.likePatternBytesMax}`,
      )
    }
    const wildcards = value.replace(/[^%_]/g, '').length
    if (wildcards > dbLimits.likeWildcardsMax) {
      throw new DbFailure(
        `${this.nameOf(on)}: the LIKE pattern has ${wildcards} wildcards; the limit is ${dbLimits.likeWildcardsMax}`,
      )
    }
  }
}
