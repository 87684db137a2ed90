import type { Database } from 'better-sqlite3'
import { kvLimits } from '../../base/limits/kv.js'
import { createKvClock } from '../clock.js'
import type { CommitSignal } from '../commit-signal.js'
import { kvClosed } from '../errors.js'
import type { Kv, KvNamespaces } from '../kv.js'
import { parseNamespace } from '../namespace.js'
import { ChangeReader } from '../sqlite/change-reader.js'
import { EntryCounter } from '../sqlite/entry-counter.js'
import { type KvTotals, StoreOverview } from '../sqlite/overview.js'
import { SearchMaintenance } from '../sqlite/search/search-maintenance.js'
import { createSqliteStores, type SqliteStores } from '../sqlite/stores.js'
import type { OnDropped } from '../sqlite/triggers.js'
import { type SweepStep, Sweeps } from '../sweeps.js'
import { WatchHub } from '../watch/watch-hub.js'
import { compileStoredWhere } from '../where/compile-where.js'
import type { Where } from '../where.js'
import type { Submit } from './atomic.js'
import { CommitGroup } from './commit-group.js'
import { type KvParts, NamespaceKv, type NamespaceParts } from './namespace-kv.js'
import { QueueWaits } from './queue-waits.js'
import { NamespaceQueues } from './queues.js'
import { Reader } from './reader.js'
import { NamespaceSearch } from './search.js'
import { Turn } from './turn.js'

/** What a store on the HTTP thread is made of. */
export interface KvServiceOptions {
  /** Of this store alone, with a busy timeout of 0, on a file that has the core tables; closed with the store. */
  readonly connection: Database
  /** Tells of the commits of this thread and of others. */
  readonly signal: CommitSignal
  /** Bytes that one namespace may hold. */
  readonly namespaceBytes: number
  /** Time between two rounds of sweeps. */
  readonly sweepIntervalMs: number
  /** Told of what a sweep failed with. */
  readonly onSweepError: (error: unknown) => void
  /** Told when a change was not queued for a plugin; see `DropReason`. */
  readonly onDropped?: OnDropped
  /** Milliseconds since 1970 that never go back; the clock of the machine when missing. */
  readonly clock?: () => number
}

/** A key-value store that is open. */
export interface KvService extends KvNamespaces {
  /** For who brings messages to consumers of this process: it answers at once, or throws SQLITE_BUSY. */
  readonly stores: Pick<SqliteStores, 'queues' | 'triggers'>
  /** Milliseconds since 1970 that never go back. */
  readonly clock: () => number
  /** Names the namespaces that something was written to, up to `kvLimits.namespacesShownMax`. */
  names(): Promise<readonly string[]>
  /** Counts what the store holds, at a bounded price. */
  totals(): Promise<KvTotals>
  /** Writes the commits that wait, refuses further calls, ends the watches and closes the connection. */
  close(): Promise<void>
}

/** Namespaces whose object is kept; others are made anew at each call. */
const namespacesMax = 1000

/**
 * Opens the key-value store for the thread that serves HTTP. No call blocks the thread for long: a locked file is
 * tried again on a timer, and work on many entries is done in steps between which the event loop goes round.
 */
export function createKv(options: KvServiceOptions): KvService {
  return new SqliteKvService(options)
}

class SqliteKvService implements KvService {
  readonly stores: SqliteStores
  readonly clock: () => number
  readonly #connection: Database
  readonly #parts: KvParts
  readonly #sweeps: Sweeps
  readonly #namespaces = new Map<string, Kv>()
  readonly #waits: QueueWaits
  readonly #overview: StoreOverview
  #closing: Promise<void> | undefined

  constructor(options: KvServiceOptions) {
    const { connection, signal, namespaceBytes, clock = createKvClock(), onDropped = () => {} } = options
    this.#connection = connection
    const stores = createSqliteStores({
      connection,
      committed: signal.committed,
      clock,
      namespaceBytesMax: namespaceBytes,
      onDropped,
    })
    const { session, entries: store } = stores
    const turn = new Turn()
    const assertOpen = (): void => {
      if (this.#closing !== undefined) throw kvClosed()
    }
    const counter = new EntryCounter(session, clock)
    const changes = new ChangeReader(session)
    this.stores = stores
    this.clock = clock
    this.#overview = new StoreOverview(session)
    const dataVersion = (): number => changes.dataVersion()
    this.#waits = new QueueWaits({ signal, store: stores.queues, clock, dataVersion })
    this.#parts = {
      session,
      store,
      changes,
      turn,
      clock,
      assertOpen,
      commits: new CommitGroup(store, turn),
      reader: new Reader({ store, counter, turn, assertOpen }),
      hub: new WatchHub({
        signal,
        lastVersionstamp: (namespace) => changes.bounds(namespace).versionstamp,
        dataVersion,
      }),
      compileWhere: (where) =>
        where === undefined ? undefined : compileStoredWhere(where as Where, clock()),
    }
    this.#sweeps = new Sweeps({
      steps: sweepSteps(stores, new SearchMaintenance(session, () => namespaceBytes), clock),
      intervalMs: options.sweepIntervalMs,
      onError: options.onSweepError,
    })
  }

  namespace(name: string): Kv {
    const known = this.#namespaces.get(name)
    if (known !== undefined) return known
    const full = parseNamespace(name)
    const kv = new NamespaceKv(full, this.#parts, this.#namespaceParts(full))
    if (this.#namespaces.size < namespacesMax) this.#namespaces.set(name, kv)
    return kv
  }

  #namespaceParts(namespace: string): NamespaceParts {
    const { commits, turn, clock, assertOpen, reader, compileWhere } = this.#parts
    const { queues, indexes, search } = this.stores
    const submit: Submit = (commit, bytes) => commits.submit(namespace, commit, bytes)
    return {
      queues: new NamespaceQueues({
        namespace,
        store: queues,
        waits: this.#waits,
        submit,
        turn,
        clock,
        assertOpen,
      }),
      search: new NamespaceSearch({ namespace, indexes, search, reader, compileWhere, clock, assertOpen }),
    }
  }

  names(): Promise<readonly string[]> {
    return this.#parts.reader.run(() => this.#overview.names())
  }

  totals(): Promise<KvTotals> {
    const { reader, clock } = this.#parts
    return reader.run(() => this.#overview.totals(clock()))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#parts.hub.close()
    this.#waits.close()
    await this.#sweeps.close()
    await this.#parts.commits.close()
    this.#connection.close()
  }
}

function sweepSteps(
  { entries, queues }: SqliteStores,
  maintenance: SearchMaintenance,
  clock: () => number,
): readonly SweepStep[] {
  return [
    () => entries.sweepExpired(kvLimits.sweepEntries) === kvLimits.sweepEntries,
    () => queues.sweepDeadLetters(clock()) === kvLimits.deadLettersSliceMax,
    () => maintenance.step(clock()),
  ]
}
