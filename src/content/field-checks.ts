import { contentLimits } from '../base/limits/content.js'
import { compileFieldCheck, type FieldCheck } from './field-schema.js'
import type { HookRow } from './hook-runner.js'

/** The compiled schemas of the datatypes that are in use. */
export class FieldChecks {
  /** By id and version of the datatype, the least recently used one first. */
  readonly #compiled = new Map<string, FieldCheck>()

  /** Gives what is wrong with the fields of an entry of this datatype; undefined when nothing is. */
  problemOf(datatype: HookRow, fields: unknown): string | undefined {
    const key = `${datatype.id}@${datatype.version}`
    const check = this.#compiled.get(key) ?? compileFieldCheck(datatype.schema as object)
    this.#compiled.delete(key)
    this.#compiled.set(key, check)
    const [oldest] = this.#compiled.keys()
    if (this.#compiled.size > contentLimits.compiledSchemasMax && oldest !== undefined) {
      this.#compiled.delete(oldest)
    }
    return check(fields)
  }
}
