import type { Database } from 'better-sqlite3'
import { kvLimits } from '../../base/limits.js'
import { createKvClock } from '../clock.js'
import type { CommitSignal } from '../commit-signal.js'
import { kvClosed } from '../errors.js'
import type { Kv, KvNamespaces } from '../kv.js'
import { parseNamespace } from '../namespace.js'
import { ChangeReader } from '../sqlite/change-reader.js'
import { EntryCounter } from '../sqlite/entry-counter.js'
import { SqliteQueueStore } from '../sqlite/queue-store.js'
import { KvSession } from '../sqlite/session.js'
import { SqliteKvStore } from '../sqlite/sqlite-store.js'
import { createTriggerObserver, type OnDropped } from '../sqlite/triggers.js'
import { type SweepStep, Sweeps } from '../sweeps.js'
import { WatchHub } from '../watch/watch-hub.js'
import { compileStoredWhere } from '../where/compile-where.js'
import type { Where } from '../where.js'
import { CommitGroup } from './commit-group.js'
import { type KvParts, NamespaceKv } from './namespace-kv.js'
import { NamespaceQueues } from './queues.js'
import { Reader } from './reader.js'
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
  /** Told when a change was not queued for a plugin because too many wait already. */
  readonly onDropped?: OnDropped
  /** Milliseconds since 1970 that never go back; the clock of the machine when missing. */
  readonly clock?: () => number
}

/** A key-value store that is open. */
export interface KvService extends KvNamespaces {
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
  readonly #connection: Database
  readonly #parts: KvParts
  readonly #queues: SqliteQueueStore
  readonly #sweeps: Sweeps
  readonly #namespaces = new Map<string, Kv>()
  #closing: Promise<void> | undefined

  constructor(options: KvServiceOptions) {
    const { connection, signal, namespaceBytes, clock = createKvClock(), onDropped = () => {} } = options
    this.#connection = connection
    const session = new KvSession(connection, signal.committed)
    const store = new SqliteKvStore({
      session,
      clock,
      namespaceBytesMax: namespaceBytes,
      observers: [createTriggerObserver(session, onDropped)],
    })
    const turn = new Turn()
    const assertOpen = (): void => {
      if (this.#closing !== undefined) throw kvClosed()
    }
    const counter = new EntryCounter(session, clock)
    const changes = new ChangeReader(session)
    this.#queues = new SqliteQueueStore(session, store)
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
        dataVersion: () => changes.dataVersion(),
      }),
      compileWhere: (where) =>
        where === undefined ? undefined : compileStoredWhere(where as Where, clock()),
    }
    this.#sweeps = new Sweeps({
      steps: sweepSteps(store, this.#queues, clock),
      intervalMs: options.sweepIntervalMs,
      onError: options.onSweepError,
    })
  }

  namespace(name: string): Kv {
    const known = this.#namespaces.get(name)
    if (known !== undefined) return known
    const full = parseNamespace(name)
    const { commits, turn, clock, assertOpen } = this.#parts
    const kv = new NamespaceKv(full, this.#parts, {
      search: undefined as never,
      queues: new NamespaceQueues({
        namespace: full,
        store: this.#queues,
        submit: (commit, bytes) => commits.submit(full, commit, bytes),
        turn,
        clock,
        assertOpen,
      }),
    })
    if (this.#namespaces.size < namespacesMax) this.#namespaces.set(name, kv)
    return kv
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#parts.hub.close()
    await this.#sweeps.close()
    await this.#parts.commits.close()
    this.#connection.close()
  }
}

function sweepSteps(
  store: SqliteKvStore,
  queues: SqliteQueueStore,
  clock: () => number,
): readonly SweepStep[] {
  return [
    () => store.sweepExpired(kvLimits.sweepEntries) === kvLimits.sweepEntries,
    () => queues.sweepDeadLetters(clock()) === kvLimits.deadLettersSliceMax,
  ]
}
