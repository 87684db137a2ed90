import { vmLimits } from '../base/limits/sandbox.js'
import { LuaRaise } from './lua-value.js'

/** The strings of one crossing have more bytes than it allows. */
export class TooLarge extends LuaRaise {}

/** Counts what one crossing of the border carries, and where in it the reader stands. */
export class Crossing {
  /** False while decoded JSON is pushed: its null members are left out. */
  keepNullMembers = true
  #nodes = 0
  #bytes = 0
  readonly #path: (string | number)[] = []
  readonly #bytesMax: number

  /** @param bytesMax Bytes of all strings together; the general limit when absent. */
  constructor(bytesMax: number = vmLimits.marshalBytesMax) {
    this.#bytesMax = bytesMax
  }

  countNode(): void {
    this.#nodes += 1
    if (this.#nodes > vmLimits.marshalNodesMax) {
      throw new LuaRaise(`too many values: more than ${vmLimits.marshalNodesMax} in one table`)
    }
  }

  countBytes(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#bytesMax) {
      throw new TooLarge(`value too large: more than ${this.#bytesMax} bytes`)
    }
  }

  /** Notes the key that is being read at a depth; the deepest keys of an earlier branch are forgotten. */
  at(depth: number, key: string | number): void {
    this.#path.length = depth
    this.#path[depth] = key
  }

  /** Refuses a table that is nested too deep. */
  enter(depth: number): void {
    if (depth >= vmLimits.marshalDepthMax) {
      throw new LuaRaise(`table nested too deep: more than ${vmLimits.marshalDepthMax} levels${this.where()}`)
    }
  }

  /** " at a.b[3]" for messages; empty at the top. */
  where(): string {
    if (this.#path.length === 0) return ''
    const steps = this.#path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    const text = steps.join('').replace(/^\./, '')
    return ` at ${text.length > 80 ? `${text.slice(0, 80)}…` : text}`
  }
}
