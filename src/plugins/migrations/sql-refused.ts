/** Raised for SQL that a migration may not use. The message is for the author. */
export class SqlRefused extends Error {
  constructor(reason: string, line: number) {
    super(`line ${line}: ${reason}`)
    this.name = 'SqlRefused'
  }
}
