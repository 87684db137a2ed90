import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { retryWhileBusy } from '../../../src/database/busy-retry.js'
import { openSqlite } from '../../../src/database/sqlite.js'

const directory = mkdtempSync(join(tmpdir(), 'modula-retry-'))
after(() => rmSync(directory, { recursive: true, force: true }))

/** Two connections to one file, the first of which holds the write lock. */
function locked(name: string) {
  const file = join(directory, name)
  const holder = openSqlite({ file, busyTimeoutMs: 0 })
  const waiter = openSqlite({ file, busyTimeoutMs: 0 })
  holder.exec('create table t (a); begin immediate')
  return { holder, waiter }
}

test('work is tried again until the lock is gone, with pauses that are told', async () => {
  const { holder, waiter } = locked('again.db')
  const attempts: number[] = []
  const result = await retryWhileBusy(() => waiter.prepare('insert into t values (1)').run().changes, {
    busyPauseMs: 1,
    onRetry: (attempt) => {
      attempts.push(attempt)
      if (attempt === 3) holder.exec('commit')
    },
  })
  assert.equal(result, 1)
  assert.deepEqual(attempts, [1, 2, 3])
  holder.close()
  waiter.close()
})

test('any other error is passed on at the first attempt', async () => {
  const { holder, waiter } = locked('other.db')
  let attempts = 0
  const work = () => {
    attempts++
    return waiter.prepare('select * from absent').all()
  }
  await assert.rejects(retryWhileBusy(work), { code: 'SQLITE_ERROR' })
  await assert.rejects(
    retryWhileBusy(() => {
      attempts++
      throw new Error('SQLITE_BUSY in a text is no lock')
    }),
    /no lock/,
  )
  assert.equal(attempts, 2)
  holder.close()
  waiter.close()
})

test('a limit of zero tries once', async () => {
  const { holder, waiter } = locked('zero.db')
  let attempts = 0
  const work = () => {
    attempts++
    waiter.exec('begin immediate')
  }
  await assert.rejects(retryWhileBusy(work, { busyRetryMs: 0 }), { code: 'DATABASE_BUSY' })
  assert.equal(attempts, 1)
  holder.close()
  waiter.close()
})
