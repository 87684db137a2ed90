import { kvLimits } from '../../base/limits/kv.js'
import { kvReadTooLarge } from '../errors.js'
import { encodeKey, type KvKey } from '../key.js'
import type {
  Kv,
  KvAtomic,
  KvBatch,
  KvDeleteOptions,
  KvEntry,
  KvList,
  KvListOptions,
  KvPage,
  KvPageOptions,
  KvQueues,
  KvSearch,
  KvSelector,
  KvSetOptions,
  KvTransaction,
  KvTransactionOptions,
  KvTransactionResult,
  KvWatchOptions,
} from '../kv.js'
import { checkOptions, invalid, readBoolean, readExpiry, readKeys, show } from '../options.js'
import { selectRange, subtreeRange } from '../range.js'
import type { ChangeReader } from '../sqlite/change-reader.js'
import type { KvSession } from '../sqlite/session.js'
import type { KvStore } from '../store.js'
import { encodeValue } from '../stored-value.js'
import type { KvValue } from '../value.js'
import { parseVersionstamp, showVersionstamp } from '../versionstamp.js'
import { lookForChanges } from '../watch/look.js'
import type { WatchHub } from '../watch/watch-hub.js'
import { readTarget } from '../watch/watch-target.js'
import { Watcher } from '../watch/watcher.js'
import type { Where } from '../where.js'
import { AtomicCommit, type Submit } from './atomic.js'
import type { CommitGroup } from './commit-group.js'
import { type DeletingDoors, deleteKeys, deleteMatching, deleteRange } from './deleting.js'
import { toAnswer } from './entry.js'
import { type CompileWhere, type ListDoors, openList, readPage } from './listing.js'
import type { Reader } from './reader.js'
import { runTransaction } from './transaction.js'
import type { Turn } from './turn.js'

/** What all namespaces of a store share. */
export interface KvParts {
  readonly session: KvSession
  readonly store: KvStore
  readonly changes: ChangeReader
  readonly commits: CommitGroup
  readonly reader: Reader
  readonly turn: Turn
  readonly hub: WatchHub
  readonly clock: () => number
  readonly compileWhere: CompileWhere
  /** Throws `KV_CLOSED` once the store is closed. */
  readonly assertOpen: () => void
}

/** The parts of a namespace that have an interface of their own. */
export interface NamespaceParts {
  readonly queues: KvQueues
  readonly search: KvSearch
}

/** One namespace on the HTTP thread: reads are answered at once, writes in groups; see `createKv`. */
export class NamespaceKv implements Kv {
  readonly namespace: string
  readonly queues: KvQueues
  readonly search: KvSearch
  readonly #parts: KvParts
  readonly #lists: ListDoors
  readonly #deleting: DeletingDoors
  readonly #submit: Submit

  constructor(namespace: string, parts: KvParts, { queues, search }: NamespaceParts) {
    this.namespace = namespace
    this.queues = queues
    this.search = search
    this.#parts = parts
    const { reader, compileWhere, session, store, turn, changes, commits, assertOpen } = parts
    this.#lists = { namespace, reader, compileWhere }
    const lastVersionstamp = (): number => changes.bounds(namespace).versionstamp
    this.#deleting = { namespace, session, store, turn, lastVersionstamp, assertOpen }
    this.#submit = (commit, bytes) => commits.submit(namespace, commit, bytes)
  }

  get(key: KvKey): Promise<KvEntry> {
    const { reader, store } = this.#parts
    // One promise alone: this is the call that is made most often.
    return reader.run(() => toAnswer(key, store.read(this.namespace, [encodeKey(key)])[0]))
  }

  async getMany(keys: readonly KvKey[]): Promise<readonly KvEntry[]> {
    const encoded = readKeys(keys, 'keys', kvLimits.keysMax)
    const entries = await this.#read(encoded)
    const bytes = entries.reduce((sum, entry) => sum + (entry?.data.length ?? 0), 0)
    if (bytes > kvLimits.readBytesMax) throw kvReadTooLarge({ bytes, bytesMax: kvLimits.readBytesMax })
    return keys.map((key, at) => toAnswer(key, entries[at]))
  }

  async set(
    key: KvKey,
    value: KvValue,
    options?: KvSetOptions,
  ): Promise<{ readonly ok: true; readonly versionstamp: string }> {
    const nowMs = this.#parts.clock()
    const expiresAt = readExpiry(options, 'set', nowMs)
    const stored = encodeValue(value, nowMs)
    const encoded = encodeKey(key)
    const { versionstamp } = await this.#submit(
      { checks: [], mutations: [{ type: 'set', key: encoded, value: stored, expiresAt }] },
      encoded.length + stored.bytes,
    )
    return { ok: true, versionstamp: showVersionstamp(versionstamp) }
  }

  async delete(key: KvKey, options?: KvDeleteOptions): Promise<{ readonly deletedCount: number }> {
    checkOptions(options, 'delete', ['exact', 'where'])
    const isExact = readBoolean(options?.exact, 'exact', true)
    const encoded = encodeKey(key)
    const matches = this.#parts.compileWhere(options?.where)
    if (isExact && matches === undefined) {
      const mutations = [{ type: 'delete', key: encoded }] as const
      const { deleted } = await this.#submit({ checks: [], mutations }, encoded.length)
      return { deletedCount: deleted }
    }
    // What the caller has asked for before is deleted as well.
    await this.#parts.commits.settled()
    const deletedCount =
      isExact && matches !== undefined
        ? await deleteMatching(this.#deleting, encoded, matches)
        : await deleteRange(this.#deleting, subtreeRange(key), matches)
    return { deletedCount }
  }

  async deleteMany(
    keys: readonly KvKey[],
    options?: KvDeleteOptions,
  ): Promise<{ readonly deletedCount: number }> {
    checkOptions(options, 'deleteMany', ['exact', 'where'])
    const isExact = readBoolean(options?.exact, 'exact', true)
    const encoded = readKeys(keys, 'keys', kvLimits.keysMax)
    const matches = this.#parts.compileWhere(options?.where)
    // What the caller has asked for before is deleted as well.
    await this.#parts.commits.settled()
    if (isExact) return { deletedCount: await deleteKeys(this.#deleting, encoded, matches) }
    let deletedCount = 0
    for (const key of keys) deletedCount += await deleteRange(this.#deleting, subtreeRange(key), matches)
    return { deletedCount }
  }

  list(selector?: KvSelector, options?: KvListOptions): KvList {
    return openList(this.#lists, selector, options)
  }

  async paginate(options?: KvPageOptions): Promise<KvPage> {
    return readPage(this.#lists, options)
  }

  async count(prefix: KvKey = [], options?: { readonly where?: Where }): Promise<number> {
    checkOptions(options, 'count', ['where'])
    const { reader, compileWhere } = this.#parts
    return reader.count(this.namespace, selectRange({ prefix }), compileWhere(options?.where))
  }

  atomic(): KvAtomic {
    return new AtomicCommit(this.#parts.clock, this.#submit)
  }

  transaction<T>(
    work: (transaction: KvTransaction) => T | Promise<T>,
    options?: KvTransactionOptions,
  ): Promise<KvTransactionResult<T>> {
    const { clock } = this.#parts
    return runTransaction({ clock, read: (key) => this.get(key), submit: this.#submit }, work, options)
  }

  watch(
    target: { readonly keys: readonly KvKey[] } | { readonly prefix: KvKey },
    options?: KvWatchOptions,
  ): AsyncIterable<KvBatch> {
    checkOptions(options, 'watch', ['initial', 'since', 'signal'])
    const read = readTarget(target)
    const signal = readSignal(options?.signal)
    this.#parts.assertOpen()
    const position = this.#watchFrom(options)
    const { store, changes, hub, reader } = this.#parts
    hub.assertRoom(this.namespace)
    const run = <T>(work: () => T): Promise<T> => reader.run(work)
    const doors = { namespace: this.namespace, store, changes, hub, run }
    return { [Symbol.asyncIterator]: () => new Watcher(doors, read, position, signal) }
  }

  async changes(
    target: { readonly keys: readonly KvKey[] } | { readonly prefix: KvKey },
    options?: { readonly since?: string },
  ): Promise<KvBatch> {
    checkOptions(options, 'changes', ['since'])
    const position = options?.since === undefined ? undefined : parseVersionstamp(options.since)
    const { store, changes, reader } = this.#parts
    const run = <T>(work: () => T): Promise<T> => reader.run(work)
    return lookForChanges({ namespace: this.namespace, store, changes, run }, readTarget(target), position)
  }

  /** Versionstamp that a watch goes on behind; undefined when it begins with what there is. */
  #watchFrom(options: KvWatchOptions | undefined): number | undefined {
    const isInitial = readBoolean(options?.initial, 'initial', true)
    if (options?.since !== undefined) return parseVersionstamp(options.since)
    return isInitial ? undefined : this.#parts.changes.bounds(this.namespace).versionstamp
  }

  #read(keys: readonly Buffer[]): Promise<ReturnType<KvStore['read']>> {
    const { reader, store } = this.#parts
    return reader.run(() => store.read(this.namespace, keys))
  }
}

function readSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal
  throw invalid(`The option "signal" is ${show(signal)}; it must be an AbortSignal.`)
}
