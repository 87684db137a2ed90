import type { Exchange } from './exchange.js'

type WithNotes = { [key: symbol]: unknown }

/**
 * What one stage notes about exchanges. The exchange itself holds it: a table of exchanges beside them, also a weak
 * one, costs each collection of garbage more than all stages together.
 */
export class ExchangeNote<Value> {
  readonly #key = Symbol('note')

  /** Gives undefined when nothing was noted. */
  of(exchange: Exchange): Value | undefined {
    return (exchange as unknown as WithNotes)[this.#key] as Value | undefined
  }

  set(exchange: Exchange, value: Value): void {
    ;(exchange as unknown as WithNotes)[this.#key] = value
  }
}
