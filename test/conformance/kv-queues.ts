import assert from 'node:assert/strict'
import type { KvEnqueueOptions, KvMessage } from '../../src/kv/kv.js'
import { until } from '../helpers/until.js'
import { type RunCase, refuses } from './kv-case.js'

/** Queues and dead letters. */
export function queueCases(run: RunCase): void {
  run('a message goes to one consumer and is gone after its ack', async ({ queues }) => {
    const { ok, id } = await queues.enqueue({ job: 1n })
    assert.equal(ok, true)
    const message = await queues.dequeue()
    assert.ok(message)
    assert.equal(message.id, id)
    assert.deepEqual([message.queue, message.value, message.attempts], ['default', { job: 1n }, 1])
    assert.equal(await queues.dequeue(), undefined)
    assert.deepEqual(await queues.stats(), { pending: 0, processing: 1, dlq: 0, total: 1 })
    assert.equal(await queues.ack(message), true)
    assert.equal(await queues.ack(message), false)
    assert.deepEqual(await queues.stats(), { pending: 0, processing: 0, dlq: 0, total: 0 })
  })

  run('messages of a queue come in their order, and queues are apart', async ({ queues }) => {
    for (const value of [1, 2, 3]) await queues.enqueue(value, { queue: 'numbers' })
    await queues.enqueue('x', { queue: 'texts' })
    const values: unknown[] = []
    for (let at = 0; at < 3; at += 1) values.push((await queues.dequeue({ queue: 'numbers' }))?.value)
    assert.deepEqual(values, [1, 2, 3])
    assert.equal(await queues.dequeue(), undefined)
    assert.equal((await queues.stats('texts')).pending, 1)
  })

  run('a delayed message is not given out before its time', async ({ queues }) => {
    await queues.enqueue('late', { delay: 60 })
    assert.equal(await queues.dequeue(), undefined)
    const message = await until('the message is due', () => queues.dequeue())
    assert.equal(message.value, 'late')
  })

  run('a message whose lease has ended goes to another consumer', async ({ queues }) => {
    await queues.enqueue('job')
    const first = (await queues.dequeue({ lease: 20 })) as KvMessage
    const second = await until('the lease has ended', () => queues.dequeue())
    assert.equal(second.id, first.id)
    assert.equal(second.attempts, 2)
    assert.equal(await queues.ack(first), false)
    assert.equal(await queues.nack(first), false)
    assert.equal(await queues.extend(first), false)
    assert.equal(await queues.extend(second, 60_000), true)
    assert.equal(await queues.ack(second), true)
  })

  run('a message that fails for good is a dead letter, and can live again', async (kv) => {
    const { queues } = kv
    await queues.enqueue('job', { backoffSchedule: [1], keysIfUndelivered: [['failed', 'job']] })
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      const message = await until('the message is due', () => queues.dequeue())
      assert.equal(message.attempts, attempt)
      assert.equal(await queues.nack(message, `failure ${attempt}`), true)
    }
    assert.equal((await kv.get(['failed', 'job'])).value, 'job')
    const [letter] = await queues.deadLetters()
    assert.ok(letter)
    assert.deepEqual([letter.value, letter.errorMessage, letter.attempts], ['job', 'failure 2', 2])
    assert.deepEqual(await queues.deadLetter(letter.id), letter)
    const requeued = await queues.requeue(letter.id)
    assert.ok(requeued)
    const again = await queues.dequeue()
    assert.deepEqual([again?.id, again?.attempts], [requeued.newId, 1])
    assert.equal(await queues.requeue(letter.id), undefined)
    assert.equal(await queues.deleteDeadLetter(letter.id), false)
  })

  run('dead letters are counted, paged and purged', async ({ queues }) => {
    for (let at = 0; at < 5; at += 1) {
      await queues.enqueue(at, { backoffSchedule: [] })
      const message = (await queues.dequeue()) as KvMessage
      await queues.nack(message)
    }
    assert.equal((await queues.stats()).dlq, 5)
    const page = await queues.deadLetters({ limit: 2, offset: 1 })
    assert.deepEqual(
      page.map(({ value }) => value),
      [3, 2],
    )
    assert.equal(await queues.deleteDeadLetter(page[0]?.id ?? ''), true)
    assert.equal(await queues.purgeDeadLetters('other'), 0)
    assert.equal(await queues.purgeDeadLetters(), 4)
    assert.equal((await queues.stats()).total, 0)
  })

  run('a message is sent with a commit or not at all', async (kv) => {
    const failed = await kv
      .atomic()
      .check({ key: ['no'], versionstamp: '00000000000000000001' })
      .enqueue(1)
      .commit()
    assert.equal(failed.ok, false)
    assert.equal((await kv.queues.stats()).total, 0)
    await kv.atomic().set(['order'], 1).enqueue('mail', { queue: 'mails' }).commit()
    assert.equal((await kv.queues.dequeue({ queue: 'mails' }))?.value, 'mail')
  })

  run('ids that are none change nothing', async ({ queues }) => {
    for (const id of ['', 'x', '-1', '1.5', '999999999999']) {
      assert.equal(await queues.ack({ id, lease: 'x' }), false)
      assert.equal(await queues.deadLetter(id), undefined)
      assert.equal(await queues.deleteDeadLetter(id), false)
    }
  })

  run('options of queues are refused by name', async ({ queues }) => {
    const bad: readonly (readonly [KvEnqueueOptions, RegExp])[] = [
      [{ delay: -1 }, /delay/],
      [{ delay: Number.NaN }, /delay/],
      [{ backoffSchedule: [-1] }, /backoffSchedule/],
      [{ backoffSchedule: 5 as never }, /backoffSchedule/],
      [{ priority: 1 } as KvEnqueueOptions, /priority/],
    ]
    for (const [options, message] of bad) {
      await refuses('KV_OPTION_INVALID', () => queues.enqueue(1, options), message)
    }
    await refuses('KV_QUEUE_INVALID', () => queues.enqueue(1, { queue: 'No Queue' }))
    await refuses('KV_KEY_INVALID', () => queues.enqueue(1, { keysIfUndelivered: [[]] }))
    await refuses('KV_OPTION_INVALID', () => queues.dequeue({ lease: 0 }), /lease/)
    await refuses('KV_OPTION_INVALID', () => queues.deadLetters({ limit: 0 }), /limit/)
    assert.equal((await queues.stats()).total, 0)
  })
}
