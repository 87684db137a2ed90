import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createDatabase } from '../../../src/database/database.js'
import { openSqlite } from '../../../src/database/sqlite.js'

const directory = mkdtempSync(join(tmpdir(), 'modula-database-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const fresh = (name: string) => join(directory, `${name}.db`)
const storage = (plugin_name: string) => ({ plugin_name, quota_bytes: 10 })

test('work waits for the lock of another connection without blocking the event loop', async () => {
  const file = fresh('wait')
  const database = await createDatabase({ file })
  const other = openSqlite({ file, busyTimeoutMs: 0 })
  other.exec('begin immediate')
  let settled = false
  const write = database
    .withBusyRetry((kysely) => kysely.insertInto('plugin_storage').values(storage('a')).execute())
    .finally(() => {
      settled = true
    })
  for (let i = 0; i < 100; i++) await turn()
  assert.equal(settled, false)
  assert.equal((await database.kysely.selectFrom('plugin_storage').selectAll().execute()).length, 0)
  other.exec('commit')
  await write
  assert.equal(other.prepare('select bytes from plugin_storage').pluck().get(), 0)
  other.close()
  await database.close()
})

test('a lock that outlasts the limit is answered with DATABASE_BUSY and nothing is written', async () => {
  const file = fresh('busy')
  const database = await createDatabase({ file, busyRetryMs: 30 })
  const other = openSqlite({ file, busyTimeoutMs: 0 })
  other.exec('begin immediate')
  let ran = false
  const writing = database.transaction(async (transaction) => {
    ran = true
    await transaction.insertInto('plugin_storage').values(storage('a')).execute()
  })
  await assert.rejects(writing, (error: unknown) => {
    assert.ok(error instanceof Error && 'code' in error && 'status' in error && 'retryAfterSeconds' in error)
    assert.deepEqual([error.code, error.status, error.retryAfterSeconds], ['DATABASE_BUSY', 503, 1])
    assert.match(error.message, /limit is 30 ms/)
    return true
  })
  assert.equal(ran, false, 'the work of a transaction starts only once it holds the lock')
  other.exec('rollback')
  await database.transaction((t) => t.insertInto('plugin_storage').values(storage('a')).execute())
  assert.equal(other.prepare('select count(*) from plugin_storage').pluck().get(), 1)
  other.close()
  await database.close()
})

test('a transaction holds the write lock from its start', async () => {
  const file = fresh('immediate')
  const database = await createDatabase({ file })
  const other = openSqlite({ file, busyTimeoutMs: 0 })
  await database.transaction(async () => {
    assert.throws(() => other.exec('begin immediate'), { code: 'SQLITE_BUSY' })
  })
  other.exec('begin immediate; rollback')
  other.close()
  await database.close()
})

test('a transaction that fails leaves nothing behind and passes its error on', async () => {
  const database = await createDatabase({ file: fresh('rollback') })
  const failing = database.transaction(async (transaction) => {
    await transaction.insertInto('plugin_storage').values(storage('a')).execute()
    throw new Error('changed my mind')
  })
  await assert.rejects(failing, /changed my mind/)
  assert.deepEqual(await database.kysely.selectFrom('plugin_storage').selectAll().execute(), [])
  const duplicate = database.transaction(async (transaction) => {
    await transaction.insertInto('plugin_storage').values(storage('b')).execute()
    await transaction.insertInto('plugin_storage').values(storage('b')).execute()
  })
  await assert.rejects(duplicate, { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' })
  assert.deepEqual(await database.kysely.selectFrom('plugin_storage').selectAll().execute(), [])
  await database.close()
})

test('transactions of one host queue up instead of failing each other', async () => {
  const database = await createDatabase({ file: fresh('queue') })
  const add = () =>
    database.transaction(async (transaction) => {
      const row = await transaction.selectFrom('plugin_storage').select('bytes').executeTakeFirst()
      await turn()
      const bytes = (row?.bytes ?? 0) + 1
      await transaction
        .insertInto('plugin_storage')
        .values({ ...storage('a'), bytes })
        .onConflict((conflict) => conflict.column('plugin_name').doUpdateSet({ bytes }))
        .execute()
    })
  await Promise.all(Array.from({ length: 20 }, add))
  const row = await database.kysely.selectFrom('plugin_storage').select('bytes').executeTakeFirstOrThrow()
  assert.equal(row.bytes, 20)
  await database.close()
})

test('closing lets work under way finish, refuses further work and can be repeated', async () => {
  const file = fresh('close')
  const database = await createDatabase({ file })
  const writing = database.transaction(async (transaction) => {
    for (let i = 0; i < 10; i++) await turn()
    await transaction.insertInto('plugin_storage').values(storage('a')).execute()
  })
  const closing = database.close()
  await assert.rejects(
    database.withBusyRetry(async () => 1),
    { code: 'DATABASE_CLOSED', status: 503 },
  )
  await Promise.all([writing, closing, database.close()])
  const again = openSqlite({ file, busyTimeoutMs: 0, readonly: true })
  assert.equal(again.prepare('select count(*) from plugin_storage').pluck().get(), 1)
  again.close()
})

test('a host that cannot get at a locked file says so and leaves no connection open', async () => {
  const file = fresh('exclusive')
  const other = openSqlite({ file, busyTimeoutMs: 0 })
  other.exec('begin immediate')
  await assert.rejects(createDatabase({ file, busyRetryMs: 20 }), { code: 'DATABASE_BUSY' })
  other.exec('rollback')
  other.close()
  const database = await createDatabase({ file })
  await database.close()
})

test('a file that is no database rejects with DATABASE_OPEN_FAILED', async () => {
  await assert.rejects(createDatabase({ file: directory }), { code: 'DATABASE_OPEN_FAILED' })
})

test('writes that were acknowledged survive SIGKILL', async () => {
  const file = fresh('kill')
  const modulePath = new URL('../../../src/database/database.js', import.meta.url).href
  const script = `
    const { createDatabase } = await import(${JSON.stringify(modulePath)})
    const database = await createDatabase({ file: ${JSON.stringify(file)} })
    for (let i = 0; ; i++) {
      await database.transaction((t) => t.insertInto('plugin_storage').values({ plugin_name: 'p' + i, quota_bytes: 1 }).execute())
      process.stdout.write(i + '\\n')
      await new Promise((resolve) => setImmediate(resolve))
    }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  for await (const chunk of child.stdout) {
    output += String(chunk)
    if (output.split('\n').length > 20) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  const acknowledged = output
    .split('\n')
    .filter((line, i, lines) => line !== '' && i < lines.length - 1).length
  assert.ok(acknowledged >= 20)
  const database = await createDatabase({ file })
  const rows = await database.kysely.selectFrom('plugin_storage').select('plugin_name').execute()
  const stored = new Set(rows.map((row) => row.plugin_name))
  for (let i = 0; i < acknowledged; i++) assert.ok(stored.has(`p${i}`), `p${i} was acknowledged`)
  await database.close()
})
