import { cacheLimits } from '../../base/limits/gateway.js'
import { BoundedLru } from './bounded-lru.js'
import { ageOf, type CacheEntry, isSelected } from './cache-entry.js'
import type { CacheRequest } from './cache-request.js'
import { matchesGlob } from './glob.js'
import { TagIndex } from './tag-index.js'

/** What is taken out of the cache: everything when nothing is named. */
export type Invalidation =
  | { readonly key: string }
  | { readonly tag: string }
  | { readonly pattern: string }
  | Readonly<Record<string, never>>

/** Answers by URL and by the headers of requests that they depend on. */
export class ResponseStore {
  readonly #lru: BoundedLru<CacheEntry>
  /** The variants of one URL, the newest first. */
  readonly #variants = new Map<string, readonly CacheEntry[]>()
  readonly #tags = new TagIndex<CacheEntry>()
  /** Entries that had to go for others since the start. */
  evictions = 0

  constructor(entriesMax: number, bytesMax: number) {
    this.#lru = new BoundedLru(entriesMax, bytesMax, (entry) => this.#forget(entry))
  }

  get entries(): number {
    return this.#lru.size
  }

  get bytes(): number {
    return this.#lru.bytes
  }

  /** The newest answer to a request that is fresh and no older than the request allows. */
  find(request: CacheRequest, nowMs: number): CacheEntry | undefined {
    for (const entry of this.#variants.get(request.primary) ?? []) {
      const age = ageOf(entry, nowMs)
      if (age >= entry.lifetimeSeconds) this.#lru.remove(entry)
      else if (age <= request.ageMax && isSelected(entry, request)) {
        this.#lru.touch(entry)
        return entry
      }
    }
    return undefined
  }

  /**
   * Adds an answer in the place of those that answered its request before. An answer to an earlier request than the
   * one that is there came late, and is left out.
   *
   * @returns True when it is in the cache.
   */
  add(entry: CacheEntry, request: CacheRequest): boolean {
    for (const other of this.#variants.get(entry.primary) ?? []) {
      if (!isSelected(other, request)) continue
      if (other.askedMs > entry.askedMs) return false
      this.#lru.remove(other)
    }
    const others = this.#variants.get(entry.primary) ?? []
    for (const oldest of others.slice(cacheLimits.variantsMax - 1)) {
      this.#lru.remove(oldest)
      this.evictions += 1
    }
    this.#variants.set(entry.primary, [entry, ...(this.#variants.get(entry.primary) ?? [])])
    this.#tags.add(entry)
    const gone = this.#lru.add(entry)
    if (gone === undefined) this.#forget(entry)
    this.evictions += gone ?? 0
    return gone !== undefined
  }

  /** Takes out all variants of one URL. */
  removeAll(primary: string): number {
    return this.#removeEach(this.#variants.get(primary) ?? [])
  }

  /** @returns How many answers were taken out. */
  invalidate(invalidation: Invalidation): number {
    if ('tag' in invalidation) return this.#removeEach(this.#tags.find(invalidation.tag))
    if ('key' in invalidation) return this.#removeKey(invalidation.key)
    if ('pattern' in invalidation) {
      const { pattern } = invalidation
      return this.#removeWhere(({ host, url }) =>
        matchesGlob(pattern, pattern.startsWith('/') ? url : host + url),
      )
    }
    return this.#removeEach([...this.#lru.values()])
  }

  /** A key names a URL at one host, or at every host when it begins with the path. */
  #removeKey(key: string): number {
    const place = key.replace(/^GET:/i, '')
    if (place.startsWith('/')) return this.#removeWhere(({ url }) => url === place)
    return this.#removeWhere(({ host, url }) => host + url === place)
  }

  #removeWhere(isMeant: (entry: CacheEntry) => boolean): number {
    return this.#removeEach([...this.#lru.values()].filter(isMeant))
  }

  #removeEach(entries: readonly CacheEntry[]): number {
    for (const entry of entries) this.#lru.remove(entry)
    return entries.length
  }

  #forget(entry: CacheEntry): void {
    this.#tags.remove(entry)
    const rest = (this.#variants.get(entry.primary) ?? []).filter((other) => other !== entry)
    if (rest.length === 0) this.#variants.delete(entry.primary)
    else this.#variants.set(entry.primary, rest)
  }
}
