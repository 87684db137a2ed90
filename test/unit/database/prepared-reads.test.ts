import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createDatabase } from '../../../src/database/database.js'
import { failsWith } from '../../helpers/identity-fixture.js'

async function open(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'modulacms-reads-'))
  const database = await createDatabase({ file: join(folder, 'test.db') })
  t.after(async () => {
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const add = (name: string) =>
    database.kysely
      .insertInto('auth_roles')
      .values({ name, permissions: '[]', created_at: 1, updated_at: 2 })
      .execute()
  return { database, add }
}

test('a prepared read sees what was committed before it, each time', async (t) => {
  const { database, add } = await open(t)
  const read = database.prepareRead<{ name: string }>(
    'select name from auth_roles where name = ? and created_at < ?',
  )
  assert.equal(await read.first('a', 5), undefined)
  await add('a')
  assert.deepEqual(await read.first('a', 5), { name: 'a' })
  assert.equal(await read.first('a', 0), undefined)
  await database.kysely.deleteFrom('auth_roles').execute()
  assert.equal(await read.first('a', 5), undefined)
})

test('a prepared read waits for no transaction, and sees nothing of it', async (t) => {
  const { database, add } = await open(t)
  await add('a')
  const read = database.prepareRead<{ count: number }>('select count(*) as count from auth_roles')
  await database.transaction(async (transaction) => {
    await transaction.deleteFrom('auth_roles').execute()
    assert.deepEqual(await read.first(), { count: 1 })
  })
  assert.deepEqual(await read.first(), { count: 0 })
})

test('a prepared read writes nothing, and ends with the database', async (t) => {
  const { database, add } = await open(t)
  await add('a')
  const write = database.prepareRead("update auth_roles set description = 'x' returning name")
  await assert.rejects(write.first(), /readonly/)
  const read = database.prepareRead('select name from auth_roles')
  assert.deepEqual(await read.first(), { name: 'a' })
  await database.close()
  await failsWith('DATABASE_CLOSED', () => read.first())
})
