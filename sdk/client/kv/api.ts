import type { Transport, TransportOptions, TransportRequest } from '../transport.js'
import { createTransport } from '../transport.js'
import { oddAnswer } from './refusal.js'
import type { KvEntry } from './types.js'
import { fromWire, keyFromWire, type Wire } from './wire.js'

/** Parameters of an address; those that are undefined are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** A request to the key-value API, below its prefix and in one namespace. */
export interface ApiRequest extends Omit<TransportRequest, 'path'> {
  /** Begins with a slash. */
  readonly path: string
  readonly query?: Query
  /** True where the request is not about a namespace. */
  readonly isGlobal?: true
}

/** The key-value API of one server, for one namespace. */
export class KvApi {
  readonly namespace: string
  readonly #send: Transport
  readonly #prefix: string
  readonly #waits = new Set<Promise<void>>()

  constructor(options: TransportOptions, namespace: string) {
    this.namespace = namespace
    this.#send = createTransport(options)
    this.#prefix = /\/(?:keyval\/api|api\/keyval)\/*$/.test(options.url) ? '' : '/keyval/api'
  }

  /** Sends a request that later ones do not overtake: they wait until it is answered, or has failed. */
  async ahead<T>(send: () => Promise<T>): Promise<T> {
    const answer = send()
    const settled = answer.then(
      () => {},
      () => {},
    )
    this.#waits.add(settled)
    try {
      return await answer
    } finally {
      this.#waits.delete(settled)
    }
  }

  /** Resolves to the members of the answer. */
  async object(request: ApiRequest): Promise<Readonly<Record<string, Wire>>> {
    const answer = await this.#json(request)
    if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
      throw oddAnswer('is no object')
    }
    return answer as Readonly<Record<string, Wire>>
  }

  /** Resolves to the items of the answer. */
  async array(request: ApiRequest): Promise<readonly Wire[]> {
    const answer = await this.#json(request)
    if (!Array.isArray(answer)) throw oddAnswer('is no array')
    return answer
  }

  async text({ query, path, isGlobal, ...request }: ApiRequest): Promise<string> {
    return await this.#send.text({ ...request, path: this.#address(path, query, isGlobal) })
  }

  /** Opens a stream of events; the signal ends it. */
  stream(
    path: string,
    query: Query,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ReadableStream<Uint8Array>> {
    return this.#send.stream({ path: this.#address(path, query), signal, headers })
  }

  async #json({ query, path, isGlobal, ...request }: ApiRequest): Promise<unknown> {
    if (this.#waits.size > 0) await Promise.all(this.#waits)
    return await this.#send({ ...request, path: this.#address(path, query, isGlobal) })
  }

  #address(path: string, query: Query = {}, isGlobal = false): string {
    const parameters = new URLSearchParams(isGlobal ? {} : { namespace: this.namespace })
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) parameters.set(name, String(value))
    }
    return `${this.#prefix}${path}?${parameters}`
  }
}

/** Reads an entry of an answer. */
export function entryFromWire(wire: Wire): KvEntry {
  const { key, value, versionstamp } = membersOf(wire)
  if (versionstamp !== null && typeof versionstamp !== 'string') {
    throw oddAnswer('has an entry without a versionstamp')
  }
  return { key: keyFromWire(key), value: fromWire(value ?? null), versionstamp }
}

/** Reads a member of an answer that is a list. */
export function arrayOf(wire: Wire, what: string): readonly Wire[] {
  if (!Array.isArray(wire)) throw oddAnswer(`has no list "${what}"`)
  return wire
}

/** Reads a part of an answer that is an object. */
export function membersOf(wire: Wire): Readonly<Record<string, Wire>> {
  if (typeof wire !== 'object' || wire === null) throw oddAnswer('has something else where an object belongs')
  return wire as Readonly<Record<string, Wire>>
}

/** Reads a number of an answer. */
export function numberOf(wire: Wire, what: string): number {
  if (typeof wire !== 'number') throw oddAnswer(`has no number "${what}"`)
  return wire
}

/** Reads a text of an answer. */
export function textOf(wire: Wire, what: string): string {
  if (typeof wire !== 'string') throw oddAnswer(`has no text "${what}"`)
  return wire
}
