import { migrationLimits } from '../../base/limits/plugins.js'
import { DbSession } from '../../capabilities/db/session.js'
import { openSqlite } from '../../database/sqlite.js'
import { type MigrationStep, runStep, type StepResult, type StepTerms } from './migration-step.js'

import { StepFailed } from './step-failed.js'

/** Steps that are carried out one after the other until one fails. */
export interface MigrationOrder {
  readonly terms: StepTerms
  readonly steps: readonly MigrationStep[]
  /** True while the host starts: nobody waits for the lock, so that steps have more time and are not rehearsed. */
  readonly isStarting: boolean
}

/** Carries out steps on the database file. */
export interface MigrationRunner {
  /**
   * @param done Called after each step, in order.
   * @throws StepFailed when a step fails; those before it stay.
   */
  run(order: MigrationOrder, done: (result: StepResult) => void): Promise<void>
}

/** A connection for steps; the caller closes it. */
export function openStepSession(file: string): DbSession {
  const connection = openSqlite({ file, busyTimeoutMs: migrationLimits.lockWaitMs, mustExist: true })
  // Tables can be made anew only while nothing cascades; `adoptTables` checks the references before the commit.
  connection.pragma('foreign_keys = OFF')
  return new DbSession(connection)
}

/**
 * Carries out steps in this thread, with nothing that stops one that takes long: for tests of a plugin, whose author
 * is there.
 */
export function createInlineRunner(file: string): MigrationRunner {
  return {
    async run({ terms, steps }, done) {
      const session = openStepSession(file)
      try {
        for (const step of steps) done(attempt(step, () => runStep(session, terms, step)))
      } finally {
        session.connection.close()
      }
    },
  }
}

function attempt(step: MigrationStep, work: () => StepResult): StepResult {
  try {
    return work()
  } catch (error) {
    throw new StepFailed(step.version, describeFailure(error))
  }
}

/** Says what failed, for whoever ordered the step. */
export function describeFailure(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code.startsWith('SQLITE_BUSY')) {
    return `another write held the lock of the database for more than ${migrationLimits.lockWaitMs} ms; try again`
  }
  return error instanceof Error ? error.message : String(error)
}
