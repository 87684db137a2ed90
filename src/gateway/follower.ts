import { sql } from 'kysely'
import { messageOf } from '../base/errors.js'
import { followLimits } from '../base/limits/gateway.js'
import type { CoreDatabase } from '../database/database.js'
import type { GatewayLog } from './pipeline.js'

/** Something that is kept in memory as the database has it. */
export interface Followed {
  /** Takes in what the database holds now; changes nothing when that is what is known. May reject. */
  refresh(): Promise<void>
}

export interface FollowerOptions {
  readonly database: Pick<CoreDatabase, 'withBusyRetry'>
  /** By their names, which the log has when one of them cannot be refreshed. */
  readonly followed: Readonly<Record<string, Followed>>
  readonly log: Pick<GatewayLog, 'error'>
  /** Milliseconds between two looks; `followLimits.everyMs` when missing. */
  readonly everyMs?: number
}

/**
 * Has what is kept in memory follow the database that other processes change as well. A look without a change of the
 * file costs one statement that reads no table.
 */
export class Follower {
  readonly #options: FollowerOptions
  #timer: NodeJS.Timeout | undefined
  /** Undefined while something is not taken in. */
  #version: number | undefined
  #looking: Promise<void> | undefined
  #failure = ''

  constructor(options: FollowerOptions) {
    this.#options = options
  }

  /** Begins; what has changed since it was loaded is taken in with the first look. */
  start(): void {
    this.#timer ??= setInterval(() => {
      // A look that waits for the database is not joined by others.
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined
      })
    }, this.#options.everyMs ?? followLimits.everyMs).unref()
  }

  /** Ends, once the look that is under way has. The database must still be open. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    const { followed, log } = this.#options
    let failing = 'database'
    try {
      const version = await this.#readVersion()
      if (version === this.#version) return
      for (const [name, each] of Object.entries(followed)) {
        failing = name
        await each.refresh()
      }
      this.#version = version
      this.#failure = ''
    } catch (error) {
      this.#version = undefined
      const failure = messageOf(error)
      // One that lasts is told once.
      if (failure !== this.#failure) {
        log.error({ part: failing, error: failure }, 'what other processes have changed could not be read')
      }
      this.#failure = failure
    }
  }

  /** A number that changes with the commits of all other connections to the file. */
  async #readVersion(): Promise<number | undefined> {
    const { rows } = await this.#options.database.withBusyRetry((kysely) =>
      sql<{ readonly data_version: number }>`pragma data_version`.execute(kysely),
    )
    return rows[0]?.data_version
  }
}
