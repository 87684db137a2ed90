import type { ExitCode } from './exit-codes.js'

/** A failure of a command that its user can do something about. */
export class CliError extends Error {
  readonly exitCode: ExitCode
  /** Stable code for `--json`, e.g. `NO_CONFIRMATION`. */
  readonly code: string

  constructor(exitCode: ExitCode, code: string, message: string) {
    super(message)
    this.name = 'CliError'
    this.exitCode = exitCode
    this.code = code
  }
}
