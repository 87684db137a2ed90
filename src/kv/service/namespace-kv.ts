import { kvLimits } from '../../base/limits.js'
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
import type { EntryCounter } from '../sqlite/entry-counter.js'
import type { KvSession } from '../sqlite/session.js'
import type { Commit, CommitResult, KvStore } from '../store.js'
import { encodeValue } from '../stored-value.js'
import type { KvValue } from '../value.js'
import { parseVersionstamp, showVersionstamp } from '../versionstamp.js'
import type { ChangeReader } from '../sqlite/change-reader.js'
import type { WatchHub } from '../watch/watch-hub.js'
import { readTarget } from '../watch/watch-target.js'
import { Watcher } from '../watch/watcher.js'
import type { Where } from '../where.js'
import { AtomicCommit, type Submit } from './atomic.js'
import type { CommitGroup } from './commit-group.js'
import { type DeletingDoors, deleteMatching, deleteRange } from './deleting.js'
import { toAnswer } from './entry.js'
import { type CompileWhere, type ListDoors, openList, readPage } from './listing.js'
import { checkOptions, invalid, readBoolean, readExpiry, readKeys, show } from './options.js'
import { selectRange, subtreeRange } from './range.js'
import type { Reader } from './reader.js'
import { runTransaction } from './transaction.js'
import type { Turn } from './turn.js'

/** What all namespaces of a store share. */
export interface KvParts {
  readonly session: KvSession
  readonly store: KvStore
  readonly counter: EntryCounter
  readonly changes: ChangeReader
  readonly commits: CommitGroup
  readonly reader: Reader
  readonly turn: Turn
  readonly hub: WatchHub
  readonly clock: () => number
  readonly compileWhere: CompileWhere
  readonly isClosed: () => boolean
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
    const { reader, compileWhere, session, store, turn, changes, commits } = parts
    this.#lists = { namespace, reader, compileWhere }
    const lastVersionstamp = (): number => changes.bounds(namespace).versionstamp
    this.#deleting = { namespace, session, store, turn, lastVersionstamp }
    this.#submit = (commit, bytes) => commits.submit(namespace, commit, bytes)
  }

  async get(key: KvKey): Promise<KvEntry> {
    const encoded = [encodeKey(key)]
    const [entry] = await this.#read(encoded)
    return toAnswer(key, entry)
  }

  async getMany(keys: readonly KvKey[]): Promise<readonly KvEntry[]> {
    const encoded = readKeys(keys, 'keys', kvLimits.keysMax)
    const entries = await this.#read(encoded)
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
}
