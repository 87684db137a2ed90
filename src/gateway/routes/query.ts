import type { FastifyRequest } from 'fastify'
import { monitorLimits } from '../../base/limits/gateway.js'
import { rawQuery } from '../request-path.js'
import { requestInvalid } from './routes-failures.js'

/** Bounds of a number, both included. */
export interface Bounds {
  readonly min: number
  readonly max: number
}

/** The parameters of a query, each at most once. */
export class Query {
  readonly #texts = new Map<string, string>()

  /**
   * Reads the query of a request.
   *
   * @param known Names of the parameters that the route has.
   * @throws `GATEWAY_REQUEST_INVALID` for others, and for one that is there twice.
   */
  constructor(request: FastifyRequest, known: readonly string[]) {
    for (const [name, text] of new URLSearchParams(rawQuery(request.raw.url ?? ''))) {
      if (!known.includes(name)) {
        const names = known.length === 0 ? 'none' : `only ${known.join(', ')}`
        refuse(`The query has the unknown parameter ${preview(name)}; this takes ${names}.`)
      }
      if (this.#texts.has(name)) {
        refuse(`The query has the parameter "${name}" more than once; send it once.`)
      }
      this.#texts.set(name, text)
    }
  }

  /** A text; undefined when it is missing or empty. */
  text(name: string): string | undefined {
    return this.#texts.get(name) || undefined
  }

  /** A whole number; undefined when it is missing or empty. */
  integer(name: string, { min, max }: Bounds): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (number >= min && number <= max) return number
    return refuse(`${name} is ${preview(text)}; send a whole number from ${min} to ${max}, or leave it out.`)
  }

  /** `true` or `false`; undefined when it is missing or empty. */
  flag(name: string): boolean | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    if (text === 'true' || text === 'false') return text === 'true'
    return refuse(`${name} is ${preview(text)}; send true or false, or leave it out.`)
  }
}

function refuse(problem: string): never {
  throw requestInvalid({ problem })
}

function preview(text: string): string {
  const max = monitorLimits.previewCharacters
  return JSON.stringify(text.length > max ? `${text.slice(0, max - 1)}…` : text)
}
