import { messageOf } from '../../base/errors.js'
import { monitorLimits } from '../../base/limits/gateway.js'
import { Turns } from '../../base/turns.js'
import type { CoreDatabase } from '../../database/database.js'

/** What a rate limit has counted since the start of the host. */
export interface HistoryFigures {
  readonly totalRequests: number
  readonly blockedRequests: number
  readonly allowedRequests: number
  readonly activeBuckets: number
}

/** The figures at one moment. */
export interface HistoryEntry extends HistoryFigures {
  /** Milliseconds since 1970. */
  readonly timestamp: number
}

/** Where failures of the history are written; pino's loggers fit. */
export interface HistoryLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

export interface MetricsHistoryOptions {
  readonly database: Pick<CoreDatabase, 'withBusyRetry' | 'transaction'>
  /** Without it, as without a rate limit, there is no history. */
  readonly read?: (() => HistoryFigures) | undefined
  readonly log: HistoryLog
  /** Milliseconds since 1970; the clock of the system when missing. */
  readonly now?: () => number
  /** Milliseconds between two entries; `monitorLimits.historyMs` when missing. */
  readonly everyMs?: number
  /** Milliseconds between two transactions; `monitorLimits.historySaveMs` when missing. */
  readonly saveEveryMs?: number
  /** Entries that are kept; `monitorLimits.historyMax` when missing. */
  readonly max?: number
}

interface KeptEntry {
  readonly entry: HistoryEntry
  isSaved: boolean
}

/**
 * The figures of a rate limit, second by second for an hour. They are read from memory and written to the database in
 * groups; what a crash takes is what was not written yet. A database that cannot be written stops nothing: the entries
 * wait for the next transaction.
 */
export class MetricsHistory {
  readonly #options: MetricsHistoryOptions
  readonly #now: () => number
  readonly #max: number
  /** In the order of their time. */
  #kept: KeptEntry[] = []
  #timers: NodeJS.Timeout[] = []
  /** One thing with the database is done after the other. */
  readonly #turns = new Turns()
  #isSaving = false
  #isClosed = false

  constructor(options: MetricsHistoryOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#max = options.max ?? monitorLimits.historyMax
  }

  /** Reads what was written before, and begins. A history that cannot be read is logged and begins empty. */
  async start(): Promise<void> {
    const { read, log, everyMs, saveEveryMs } = this.#options
    if (read === undefined) return
    try {
      this.#kept = await this.#load()
    } catch (error) {
      log.error({ error: messageOf(error) }, 'the metrics history could not be read')
    }
    if (this.#isClosed) return
    this.#timers = [
      setInterval(() => this.#take(read), everyMs ?? monitorLimits.historyMs).unref(),
      setInterval(() => void this.#save(), saveEveryMs ?? monitorLimits.historySaveMs).unref(),
    ]
  }

  /**
   * Gives the entries, newest first.
   *
   * @param limit The newest so many; all when it is 0.
   */
  query(limit: number): readonly HistoryEntry[] {
    const newest = limit === 0 ? this.#kept : this.#kept.slice(-limit)
    return newest.map(({ entry }) => entry).reverse()
  }

  /**
   * Removes all entries, those of the database first.
   *
   * @throws What `CoreDatabase.withBusyRetry` throws; then nothing was removed.
   */
  clear(): Promise<void> {
    return this.#turns.take(async () => {
      await this.#options.database.withBusyRetry((kysely) =>
        kysely.deleteFrom('gateway_metrics_history').execute(),
      )
      this.#kept = []
    })
  }

  /** Ends it and writes what is left; a failure of that is logged. The database must still be open. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const timer of this.#timers) clearInterval(timer)
    this.#timers = []
    // A transaction that is under way does not have the entries that came after its begin.
    await this.#turns.ended()
    await this.#save()
  }

  #take(read: () => HistoryFigures): void {
    try {
      const { totalRequests, blockedRequests, allowedRequests, activeBuckets } = read()
      const timestamp = Math.trunc(this.#now())
      // The clock of the system may be set back: what is in its future now makes room.
      while ((this.#kept.at(-1)?.entry.timestamp ?? -1) >= timestamp) this.#kept.pop()
      const entry = { timestamp, totalRequests, blockedRequests, allowedRequests, activeBuckets }
      this.#kept.push({ entry, isSaved: false })
      if (this.#kept.length > this.#max) this.#kept.shift()
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'the metrics history got no figures')
    }
  }

  async #load(): Promise<KeptEntry[]> {
    const rows = await this.#options.database.withBusyRetry((kysely) =>
      kysely
        .selectFrom('gateway_metrics_history')
        .selectAll()
        .orderBy('timestamp', 'desc')
        .limit(this.#max)
        .execute(),
    )
    return rows.reverse().map((row) => ({
      entry: {
        timestamp: row.timestamp,
        totalRequests: row.total_requests,
        blockedRequests: row.blocked_requests,
        allowedRequests: row.allowed_requests,
        activeBuckets: row.active_buckets,
      },
      isSaved: true,
    }))
  }

  /** Writes what is not written yet. Never fails; while it is at work, further calls do nothing. */
  async #save(): Promise<void> {
    if (this.#isSaving) return
    this.#isSaving = true
    try {
      await this.#turns.take(() => this.#write())
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'the metrics history could not be written')
    } finally {
      this.#isSaving = false
    }
  }

  async #write(): Promise<void> {
    const unsaved = this.#kept.filter(({ isSaved }) => !isSaved)
    const [first] = unsaved
    const oldest = this.#kept[0]
    if (first === undefined || oldest === undefined) return
    const rows = unsaved.map(({ entry }) => toRow(entry))
    await this.#options.database.transaction(async (transaction) => {
      // Makes the table what the memory is: nothing before its oldest entry, and nothing from a clock that was set back.
      await transaction
        .deleteFrom('gateway_metrics_history')
        .where((where) =>
          where.or([
            where('timestamp', '<', oldest.entry.timestamp),
            where('timestamp', '>=', first.entry.timestamp),
          ]),
        )
        .execute()
      for (let at = 0; at < rows.length; at += monitorLimits.historyRowsPerInsert) {
        const some = rows.slice(at, at + monitorLimits.historyRowsPerInsert)
        await transaction.insertInto('gateway_metrics_history').values(some).execute()
      }
    })
    for (const kept of unsaved) kept.isSaved = true
  }
}

function toRow(entry: HistoryEntry) {
  return {
    timestamp: entry.timestamp,
    total_requests: entry.totalRequests,
    blocked_requests: entry.blockedRequests,
    allowed_requests: entry.allowedRequests,
    active_buckets: entry.activeBuckets,
  }
}
