import type { CoreDatabase } from '../../src/database/database.js'
import { Migrator } from '../../src/plugins/migrations/migrator.js'
import { createInlineRunner } from '../../src/plugins/migrations/runner.js'

/** A migrator that says nothing and works in this thread. */
export function testMigrator(database: CoreDatabase, file: string, strict = false): Migrator {
  const quiet = () => undefined
  return new Migrator({
    database,
    runner: createInlineRunner(file),
    log: { info: quiet, warn: quiet, error: quiet },
    strict,
    quotaBytes: 1024 * 1024,
    whileHeld: (work) => work(),
  })
}
