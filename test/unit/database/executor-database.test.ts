import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { databaseLimits } from '../../../src/base/limits/database.js'
import { createDatabase } from '../../../src/database/database.js'
import { createExecutorDatabase } from '../../../src/database/executor-database.js'

const directory = mkdtempSync(join(tmpdir(), 'modula-executor-'))
after(() => rmSync(directory, { recursive: true, force: true }))

test('the connection is opened at first use, once, with the busy time of executors', async () => {
  const file = join(directory, 'a.db')
  const core = await createDatabase({ file })
  const executor = createExecutorDatabase({ file })
  const connection = executor.connection()
  assert.equal(executor.connection(), connection)
  assert.equal(connection.pragma('busy_timeout', { simple: true }), databaseLimits.executorBusyMs)
  assert.deepEqual(connection.prepare('select * from plugin_tables').all(), [])
  executor.close()
  executor.close()
  assert.equal(connection.open, false)
  assert.throws(() => executor.connection(), { code: 'DATABASE_CLOSED' })
  await core.close()
})

test('an executor never creates a database, and finds one that appears later', async () => {
  const file = join(directory, 'late.db')
  const executor = createExecutorDatabase({ file })
  assert.throws(() => executor.connection(), { code: 'DATABASE_OPEN_FAILED' })
  assert.equal(existsSync(file), false)
  const core = await createDatabase({ file })
  assert.equal(executor.connection().open, true)
  executor.close()
  await core.close()
})
