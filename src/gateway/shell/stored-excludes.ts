import { shellLimits } from '../../base/limits/gateway.js'
import { Turns } from '../../base/turns.js'
import type { CoreDatabase } from '../../database/database.js'
import { excludesExhausted } from './errors.js'

/** A basename that was excluded while the host ran. */
export interface StoredExclude {
  readonly basename: string
  /** Milliseconds since 1970. */
  readonly addedAt: number
}

/**
 * The basenames that admins and plugins have excluded, in the database and in memory: requests are decided without a
 * query. Changes come into force one after another, each once it is stored.
 */
export class StoredExcludes {
  readonly #database: CoreDatabase
  #known: ReadonlyMap<string, StoredExclude> = new Map()
  readonly #turns = new Turns()

  private constructor(database: CoreDatabase) {
    this.#database = database
  }

  /** Reads what is stored, up to `shellLimits.excludesMax`, oldest first. */
  static async load(database: CoreDatabase): Promise<StoredExcludes> {
    const excludes = new StoredExcludes(database)
    await excludes.refresh()
    return excludes
  }

  /** Reads it again. */
  refresh(): Promise<void> {
    return this.#turns.take(() => this.#read())
  }

  has(basename: string): boolean {
    return this.#known.has(basename)
  }

  /** All, oldest first. */
  list(): readonly StoredExclude[] {
    return [...this.#known.values()]
  }

  /**
   * Adds a basename.
   *
   * @param by Name of the user or plugin that does it.
   * @returns False when it was there already.
   * @throws `SHELL_EXCLUDES_EXHAUSTED`.
   */
  add(basename: string, by: string): Promise<boolean> {
    return this.#turns.take(async () => {
      await this.#read()
      if (this.#known.has(basename)) return false
      const max = shellLimits.excludesMax
      if (this.#known.size >= max) throw excludesExhausted({ max })
      const addedAt = await this.#database.transaction(async (transaction) => {
        await transaction
          .insertInto('gateway_shell_excludes')
          .values({ basename, added_at: Date.now(), added_by: by })
          .onConflict((conflict) => conflict.doNothing())
          .execute()
        // Another process may have stored it before.
        const stored = await transaction
          .selectFrom('gateway_shell_excludes')
          .select('added_at')
          .where('basename', '=', basename)
          .executeTakeFirstOrThrow()
        return stored.added_at
      })
      this.#known = new Map([...this.#known, [basename, { basename, addedAt }]])
      return true
    })
  }

  /** Removes a basename; false when it was not there. */
  remove(basename: string): Promise<boolean> {
    return this.#turns.take(async () => {
      await this.#read()
      if (!this.#known.has(basename)) return false
      await this.#database.withBusyRetry((kysely) =>
        kysely.deleteFrom('gateway_shell_excludes').where('basename', '=', basename).execute(),
      )
      this.#known = new Map([...this.#known].filter(([each]) => each !== basename))
      return true
    })
  }

  async #read(): Promise<void> {
    const rows = await this.#database.withBusyRetry((kysely) =>
      kysely
        .selectFrom('gateway_shell_excludes')
        .select(['basename', 'added_at'])
        .orderBy('added_at')
        .orderBy('basename')
        .limit(shellLimits.excludesMax)
        .execute(),
    )
    this.#known = new Map(rows.map(({ basename, added_at }) => [basename, { basename, addedAt: added_at }]))
  }
}
