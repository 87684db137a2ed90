import type { Database, Statement } from 'better-sqlite3'
import { openSqlite } from './sqlite.js'

/** What a statement is asked with. */
export type ReadParameter = string | number | Buffer | null

/** A read that is ready to be asked; each statement on its own sees all that has been committed before. */
export interface PreparedRead<Row> {
  /** The first row; undefined when there is none. Errors as `CoreDatabase.withBusyRetry`. */
  first(...parameters: readonly ReadParameter[]): Promise<Row | undefined>
}

/**
 * A second connection of the HTTP thread, for reads that each request asks for: its statements are prepared once, and it
 * waits for no transaction of the first one.
 */
export class PreparedReads {
  readonly #file: string
  #connection: Database | undefined

  /** @param file A database that exists; opened at the first read. */
  constructor(file: string) {
    this.#file = file
  }

  /**
   * Gives a function that asks a statement at once.
   *
   * @param text SQL that only reads; SQLite refuses any other.
   */
  prepare<Row>(text: string): (parameters: readonly ReadParameter[]) => Row | undefined {
    let statement: Statement<ReadParameter[], Row> | undefined
    return (parameters) => {
      this.#connection ??= openSqlite({ file: this.#file, busyTimeoutMs: 0, readonly: true })
      statement ??= this.#connection.prepare<ReadParameter[], Row>(text)
      return statement.get(...parameters)
    }
  }

  close(): void {
    this.#connection?.close()
  }
}
