import { hostNameOf } from '../host-list.js'
import { shellHostInvalid } from './errors.js'

const hostPattern = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/

/** Something that each host may have its own of. */
export class HostTable<T> {
  readonly #exact = new Map<string, T>()
  /** By what follows the star, dot included; longest first. */
  readonly #suffixes: readonly (readonly [suffix: string, value: T])[]
  readonly #otherwise: T | undefined

  /**
   * @param entries Hosts such as `app.example.com`, or `*.example.com` for everything below.
   * @param otherwise For hosts that no entry names.
   * @throws `SHELL_HOST_INVALID` for a host that is no name, or is there twice.
   */
  constructor(entries: readonly (readonly [host: string, value: T])[], otherwise: T | undefined) {
    const suffixes = new Map<string, T>()
    for (const [given, value] of entries) {
      const host = given.toLowerCase()
      if (!hostPattern.test(host)) throw shellHostInvalid({ host: given, problem: 'is no host name' })
      const isWildcard = host.startsWith('*')
      const table = isWildcard ? suffixes : this.#exact
      const key = isWildcard ? host.slice(1) : host
      if (table.has(key)) throw shellHostInvalid({ host: given, problem: 'is there twice' })
      table.set(key, value)
    }
    this.#suffixes = [...suffixes].sort(([a], [b]) => b.length - a.length)
    this.#otherwise = otherwise
  }

  /** @param header The `Host` header of a request; undefined when it is absent. */
  find(header: string | undefined): T | undefined {
    if (this.#exact.size === 0 && this.#suffixes.length === 0) return this.#otherwise
    const host = hostNameOf(header ?? '')
    const exact = this.#exact.get(host)
    if (exact !== undefined) return exact
    const found = this.#suffixes.find(([suffix]) => host.length > suffix.length && host.endsWith(suffix))
    return found === undefined ? this.#otherwise : found[1]
  }
}
