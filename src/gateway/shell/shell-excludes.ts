import type { CoreDatabase } from '../../database/database.js'
import { isBasename, isExcludedByCookie } from './basenames.js'
import { basenameInEnvironment, basenameInvalid, basenameNotRemovable } from './errors.js'
import { StoredExcludes } from './stored-excludes.js'

/** A basename that never gets the shell. */
export interface ShellExclude {
  readonly basename: string
  readonly source: 'env' | 'database'
  /** Milliseconds since 1970; only of the source `database`. */
  readonly addedAt?: number
}

/** The basenames that never get the shell: those of the environment, of the database, and of a browser's cookie. */
export class ShellExcludes {
  /** What the environment excludes. */
  readonly environment: ReadonlySet<string>
  readonly #stored: StoredExcludes

  private constructor(environment: readonly string[], stored: StoredExcludes) {
    this.environment = new Set(environment)
    this.#stored = stored
  }

  static async load(environment: readonly string[], database: CoreDatabase): Promise<ShellExcludes> {
    return new ShellExcludes(environment, await StoredExcludes.load(database))
  }

  /** Takes in what the database holds now. */
  refresh(): Promise<void> {
    return this.#stored.refresh()
  }

  /** Tells whether a basename is excluded for every browser. */
  has(basename: string): boolean {
    return this.environment.has(basename) || this.#stored.has(basename)
  }

  /**
   * Tells whether a basename is excluded for the browser that sent this cookie.
   *
   * @param cookies The `Cookie` header; undefined when it is absent.
   */
  hasFor(cookies: string | undefined, basename: string): boolean {
    return this.has(basename) || isExcludedByCookie(cookies, basename)
  }

  /** Those of the environment first, then the oldest; each basename once. */
  list(): readonly ShellExclude[] {
    return [
      ...[...this.environment].map((basename) => ({ basename, source: 'env' }) as const),
      ...this.#stored
        .list()
        .filter(({ basename }) => !this.environment.has(basename))
        .map((exclude) => ({ ...exclude, source: 'database' }) as const),
    ]
  }

  /**
   * Adds a basename to the database.
   *
   * @returns False when it was there already.
   * @throws `SHELL_BASENAME_INVALID`, `SHELL_BASENAME_IN_ENVIRONMENT`, `SHELL_EXCLUDES_EXHAUSTED`.
   */
  async add(basename: string, by: string): Promise<boolean> {
    if (!isBasename(basename)) throw basenameInvalid()
    if (this.environment.has(basename)) throw basenameInEnvironment()
    return this.#stored.add(basename, by)
  }

  /**
   * Removes a basename from the database.
   *
   * @returns False when it was not there.
   * @throws `SHELL_BASENAME_NOT_REMOVABLE`.
   */
  async remove(basename: string): Promise<boolean> {
    if (this.environment.has(basename)) throw basenameNotRemovable()
    return this.#stored.remove(basename)
  }
}
