import { cacheLimits } from '../../base/limits/gateway.js'
import { BoundedLru } from './bounded-lru.js'
import { pluginCacheRefused } from './errors.js'
import { TagIndex } from './tag-index.js'

export interface PluginCacheOptions {
  /** Bytes of one plugin's values; `cacheLimits.pluginBytesMax` when missing. */
  readonly pluginBytesMax?: number
  /** Bytes of all values; `cacheLimits.pluginsBytesMax` when missing. */
  readonly bytesMax?: number
  /** Milliseconds that never go back; `performance.now` when missing. */
  readonly now?: () => number
}

/** How a value is kept. */
export interface PluginValueOptions {
  /** Seconds for which it is there at most; greater than 0. */
  readonly ttlSeconds: number
  /** By which it can be taken out together with others; none when missing. */
  readonly tags?: readonly string[]
}

interface PluginValue {
  readonly plugin: string
  readonly key: string
  readonly json: string
  readonly tags: readonly string[]
  readonly endsMs: number
  readonly bytes: number
}

interface Space {
  readonly values: Map<string, PluginValue>
  readonly tags: TagIndex<PluginValue>
  readonly lru: BoundedLru<PluginValue>
}

/** Bytes for what a value needs beside its texts; each of its tags needs as much, as it may have that tag for itself. */
const overhead = 256

/** Values that plugins keep in memory for a while; none sees those of another. */
export class PluginCache {
  readonly #now: () => number
  readonly #pluginBytesMax: number
  readonly #all: BoundedLru<PluginValue>
  readonly #spaces = new Map<string, Space>()

  constructor({ pluginBytesMax, bytesMax, now }: PluginCacheOptions = {}) {
    this.#now = now ?? (() => performance.now())
    this.#pluginBytesMax = pluginBytesMax ?? cacheLimits.pluginBytesMax
    this.#all = new BoundedLru(Number.POSITIVE_INFINITY, bytesMax ?? cacheLimits.pluginsBytesMax, (value) =>
      this.#spaces.get(value.plugin)?.lru.remove(value),
    )
  }

  /** What all plugins have in it. */
  get bytes(): number {
    return this.#all.bytes
  }

  /** @returns The value as JSON; undefined when it is not there, or not any more. */
  get(plugin: string, key: string): string | undefined {
    const space = this.#spaces.get(plugin)
    const value = space?.values.get(key)
    if (space === undefined || value === undefined) return undefined
    if (this.#now() >= value.endsMs) {
      space.lru.remove(value)
      return undefined
    }
    space.lru.touch(value)
    this.#all.touch(value)
    return value.json
  }

  /**
   * Keeps a value in the place of the one that the key had. Others go when there is no room, first of this plugin,
   * then of all: the least recently used ones.
   *
   * @param json The value as JSON.
   * @throws `PLUGIN_CACHE_REFUSED` for a key, a tag or a value that is too long, too many tags, or no time to live.
   */
  set(plugin: string, key: string, json: string, { ttlSeconds, tags = [] }: PluginValueOptions): void {
    check(key, json, ttlSeconds, tags)
    const space = this.#space(plugin)
    const before = space.values.get(key)
    if (before !== undefined) space.lru.remove(before)
    const own = [...new Set(tags)]
    const texts = [key, json, ...own]
    const value: PluginValue = {
      plugin,
      key,
      json,
      tags: own,
      endsMs: this.#now() + Math.min(ttlSeconds, cacheLimits.lifetimeSecondsMax) * 1000,
      bytes: texts.reduce((sum, text) => sum + 2 * text.length, overhead * (1 + own.length)),
    }
    space.values.set(key, value)
    space.tags.add(value)
    const isHeld = this.#all.add(value) !== undefined && space.lru.add(value) !== undefined
    if (isHeld) return
    this.#all.remove(value)
    this.#forget(space, value)
  }

  /** @returns False when it was not there. */
  delete(plugin: string, key: string): boolean {
    const isThere = this.get(plugin, key) !== undefined
    const space = this.#spaces.get(plugin)
    const value = space?.values.get(key)
    if (value !== undefined) space?.lru.remove(value)
    return isThere
  }

  /** @returns How many values of this plugin with this tag were taken out. */
  invalidateTag(plugin: string, tag: string): number {
    const space = this.#spaces.get(plugin)
    const values = space?.tags.find(tag) ?? []
    for (const value of values) space?.lru.remove(value)
    return values.filter(({ endsMs }) => this.#now() < endsMs).length
  }

  /** Takes out all values of a plugin, e.g. when it is gone. */
  clear(plugin: string): void {
    for (const value of [...(this.#spaces.get(plugin)?.lru.values() ?? [])]) this.#all.remove(value)
    this.#spaces.delete(plugin)
  }

  #space(plugin: string): Space {
    const known = this.#spaces.get(plugin)
    if (known !== undefined) return known
    const space: Space = {
      values: new Map(),
      tags: new TagIndex(),
      lru: new BoundedLru(Number.POSITIVE_INFINITY, this.#pluginBytesMax, (value) => {
        this.#forget(space, value)
        this.#all.remove(value)
      }),
    }
    this.#spaces.set(plugin, space)
    return space
  }

  #forget({ values, tags }: Space, value: PluginValue): void {
    tags.remove(value)
    if (values.get(value.key) === value) values.delete(value.key)
  }
}

function check(key: string, json: string, ttlSeconds: number, tags: readonly string[]): void {
  const { pluginKeyLengthMax, pluginValueBytesMax, tagsMax, tagLengthMax } = cacheLimits
  const refuse = (what: string, value: string, limit: string) => pluginCacheRefused({ what, value, limit })
  if (key === '' || key.length > pluginKeyLengthMax) {
    throw refuse('key', `${key.length} characters`, `1 to ${pluginKeyLengthMax} characters`)
  }
  const bytes = Buffer.byteLength(json)
  if (bytes > pluginValueBytesMax)
    throw refuse('value', `${bytes} bytes`, `${pluginValueBytesMax} bytes of JSON`)
  if (!(ttlSeconds > 0)) throw refuse('time to live', `${ttlSeconds} seconds`, 'more than 0 seconds')
  if (tags.length > tagsMax) throw refuse('list', `${tags.length} tags`, `${tagsMax} tags`)
  for (const tag of tags) {
    if (tag === '' || tag.length > tagLengthMax) {
      throw refuse('tag', `${tag.length} characters`, `1 to ${tagLengthMax} characters`)
    }
  }
}
