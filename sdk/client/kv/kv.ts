import type { TransportOptions } from '../transport.js'
import { entryFromWire, KvApi, membersOf, numberOf, textOf } from './api.js'
import { commit, KvAtomic } from './atomic.js'
import { FlatNames } from './flat-names.js'
import { EntryList, readPage } from './listing.js'
import { MutationList } from './mutations.js'
import { checkOptions, trueOrFalse } from './options.js'
import { KvQueues } from './queues.js'
import { oddAnswer } from './refusal.js'
import { createSearch, type KvSearch } from './search.js'
import { subscribe } from './subscription.js'
import { type KvTransaction, runTransaction } from './transaction.js'
import type {
  KvDeleteOptions,
  KvEntry,
  KvList,
  KvListOptions,
  KvMetrics,
  KvPage,
  KvPageOptions,
  KvSelector,
  KvSetOptions,
  KvSubscription,
  KvTransactionOptions,
  KvTransactionResult,
  KvWhere,
} from './types.js'
import { type KvKey, KvNow, type KvValue } from './value.js'
import { isKeys, readChanges, watchBatches, watchIterable } from './watch.js'
import type { KvBatch, KvWatchHandler, KvWatchOptions, KvWatchTarget } from './watch-types.js'
import { keyToWire, whereToWire, wholeKeyToWire } from './wire.js'

/** Who asks, which namespace, and how requests are sent. */
export interface KvOptions extends Omit<TransportOptions, 'url'> {
  /** `shared:<name>`, `<name>` for a shared one, or `plugin:<name>`; `shared:default` when missing. */
  readonly namespace?: string | undefined
}

/**
 * One namespace of the key-value store of a server, with the members that it has inside of the host. It holds no
 * connection but those of watches and listeners. Everything that is not done rejects with `ClientError`.
 *
 * @example
 * const kv = new Kv('http://127.0.0.1:8080', { token })
 * await kv.set(['users', 42], { name: 'Ada' }, { expiresIn: '30d' })
 */
export class Kv extends FlatNames {
  readonly namespace: string
  readonly queues: KvQueues
  readonly search: KvSearch
  readonly #api: KvApi

  /**
   * @param baseUrl Address of the server, or of its key-value API; in a browser a path such as `/` is enough.
   * @throws ClientError `INVALID_URL` or `INVALID_TOKEN` when an option cannot be right.
   */
  constructor(baseUrl: string, { namespace = 'shared:default', ...options }: KvOptions = {}) {
    super()
    this.namespace = /^(?:shared|plugin):/.test(namespace) ? namespace : `shared:${namespace}`
    this.#api = new KvApi({ ...options, url: absolute(baseUrl) }, this.namespace)
    this.queues = new KvQueues(this.#api)
    this.search = createSearch(this.#api)
  }

  /** The time at which the server writes, to be put inside a value or a filter. */
  now(): KvNow {
    return new KvNow()
  }

  /** Reads an entry, or several at one moment in the order of their keys. */
  get(key: KvKey): Promise<KvEntry>
  get(keys: readonly KvKey[]): Promise<readonly KvEntry[]>
  async get(key: KvKey | readonly KvKey[]): Promise<KvEntry | readonly KvEntry[]> {
    if (isKeys(key)) return await this.getMany(key)
    const [entry] = await this.getMany([key])
    if (entry === undefined) throw oddAnswer('has no entry')
    return entry
  }

  /** Reads several entries at one moment, in the order of the keys. */
  async getMany(keys: readonly KvKey[]): Promise<readonly KvEntry[]> {
    if (keys.length === 0) return []
    const body = { keys: keys.map(wholeKeyToWire) }
    return (await this.#api.array({ method: 'POST', path: '/keys/batch', body })).map(entryFromWire)
  }

  async set(
    key: KvKey,
    value: KvValue,
    options?: KvSetOptions,
  ): Promise<{ readonly ok: true; readonly versionstamp: string }> {
    // In a body, unlike in an address, there is room for every key.
    const list = new MutationList()
    list.set(key, value, options)
    const result = await commit(this.#api, list)
    if (!result.ok) throw oddAnswer('refuses a commit without checks')
    return result
  }

  /** Deletes one key, or several in one commit. @returns How many entries were deleted. */
  delete(
    key: KvKey | readonly KvKey[],
    options?: KvDeleteOptions,
  ): Promise<{ readonly deletedCount: number }> {
    return this.deleteMany(isKeys(key) ? key : [key], options)
  }

  /** As `delete` for each of the keys, in one commit. */
  async deleteMany(
    keys: readonly KvKey[],
    options: KvDeleteOptions = {},
  ): Promise<{ readonly deletedCount: number }> {
    if (keys.length === 0) return { deletedCount: 0 }
    checkOptions(options, 'delete', ['exact', 'where'])
    const { exact, where } = options
    trueOrFalse(exact, 'exact')
    const filter = where === undefined ? undefined : whereToWire(where)
    const body = { keys: keys.map(wholeKeyToWire), exact, where: filter }
    const answer = await this.#api.object({ method: 'POST', path: '/keys/delete-batch', body })
    return { deletedCount: numberOf(answer.deletedCount, 'deletedCount') }
  }

  /** Gives the entries of a range; a prefix alone can be given as it is. */
  list(selector: KvKey | KvSelector = {}, options: KvListOptions = {}): KvList {
    return new EntryList(this.#api, isKey(selector) ? { prefix: selector } : selector, options)
  }

  paginate(options: KvPageOptions = {}): Promise<KvPage> {
    return readPage(this.#api, options)
  }

  /** Counts the entries below a prefix, of all when it is missing. */
  async count(prefix: KvKey = [], options: { readonly where?: KvWhere } = {}): Promise<number> {
    checkOptions(options, 'count', ['where'])
    const where = options.where === undefined ? undefined : whereToWire(options.where)
    const body = { prefix: keyToWire(prefix), where }
    const { count } = await this.#api.object({ method: 'POST', path: '/keys/count', body })
    return numberOf(count, 'count')
  }

  atomic(): KvAtomic {
    return new KvAtomic(this.#api)
  }

  /**
   * Runs a function whose reads are checked and whose writes are committed when it is done. What it throws is passed
   * on, and nothing is written.
   */
  transaction<T>(
    work: (transaction: KvTransaction) => T | Promise<T>,
    options: KvTransactionOptions = {},
  ): Promise<KvTransactionResult<T>> {
    return runTransaction(this.#api, (key) => this.get(key), work, options)
  }

  /**
   * Follows keys, or everything below a prefix (the prefix itself included): as something to iterate over, or with a
   * handler. A connection that is lost is made again, and goes on where it was.
   */
  watch(target: KvWatchTarget, options?: KvWatchOptions): AsyncIterable<KvBatch>
  watch(target: KvWatchTarget, handler: KvWatchHandler, options?: KvWatchOptions): KvSubscription
  watch(
    target: KvWatchTarget,
    given: KvWatchHandler | KvWatchOptions = {},
    options: KvWatchOptions = {},
  ): AsyncIterable<KvBatch> | KvSubscription {
    if (typeof given !== 'function') return watchIterable(this.#api, target, given)
    const run = async (signal: AbortSignal) => {
      for await (const batch of watchBatches(this.#api, target, options, signal)) {
        // What comes with the last answer is not for a handler that was told to stop.
        if (!signal.aborted) await given(batch.changes, batch)
      }
    }
    return subscribe(run, options.signal, options.onError)
  }

  /**
   * Gives the next batch of such a watch at once: without changes when nothing has changed behind `since`, and with
   * `reset` when `since` is missing or too far back.
   */
  changes(target: KvWatchTarget, options: { readonly since?: string } = {}): Promise<KvBatch> {
    return readChanges(this.#api, target, options)
  }

  /** Names the namespaces of the whole store that something was written to, as the option `namespace` takes them. */
  async namespaces(): Promise<readonly string[]> {
    const items = await this.#api.array({ method: 'GET', path: '/namespaces', isGlobal: true })
    return items.map((item) => textOf(membersOf(item).name, 'name'))
  }

  /** What the store measures of itself, in all namespaces; `prometheus` gives the text that Prometheus reads. */
  metrics(format?: 'json'): Promise<KvMetrics>
  metrics(format: 'prometheus'): Promise<string>
  async metrics(format: 'json' | 'prometheus' = 'json'): Promise<KvMetrics | string> {
    if (format === 'prometheus') {
      return await this.#api.text({ method: 'GET', path: '/metrics/prometheus', isGlobal: true })
    }
    const numbers = await this.#api.object({ method: 'GET', path: '/metrics', isGlobal: true })
    return numbers as unknown as KvMetrics
  }
}

/** A prefix alone, and no selector. */
function isKey(selector: KvKey | KvSelector): selector is KvKey {
  return Array.isArray(selector)
}

/** Browsers know where they are, so that an address can leave out the server. */
function absolute(url: string): string {
  const { location } = globalThis as { readonly location?: { readonly origin: string } }
  return url.startsWith('/') && location !== undefined ? new URL(url, location.origin).href : url
}
