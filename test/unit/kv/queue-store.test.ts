import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kvLimits } from '../../../src/base/limits/kv.js'
import { encodeKey } from '../../../src/kv/key.js'
import { encodeMessage } from '../../../src/kv/queue-options.js'
import type { Receipt } from '../../../src/kv/queue-store.js'
import type { Commit } from '../../../src/kv/store.js'
import { encodeValue } from '../../../src/kv/stored-value.js'
import { leaseMs, openQueueBench } from '../../helpers/kv-queue-bench.js'
import { createQueueFile } from '../../helpers/kv-queue-fixture.js'

const { file, door, queues, freshNamespace, take, nothing, letters, balanced, bury } = await openQueueBench()

test('with pauses of 50 and 100 ms there are three tries, and then a dead letter', () => {
  const namespace = freshNamespace()
  const id = door.enqueue(namespace, { order: 7 }, { backoffSchedule: [50, 100] }, 10)
  const first = take(namespace, 10)
  assert.deepEqual([first.id, first.attempts, first.leasedUntil], [id, 1, 1010])
  assert.equal(queues.nack(namespace, first, 'first error', 20), true)
  nothing(namespace, 69)
  const second = take(namespace, 70)
  assert.deepEqual([second.id, second.attempts], [id, 2])
  assert.equal(queues.nack(namespace, second, 'second error', 80), true)
  nothing(namespace, 179)
  const third = take(namespace, 180)
  assert.deepEqual([third.id, third.attempts], [id, 3])
  assert.deepEqual(letters(namespace), [])
  assert.equal(queues.nack(namespace, third, 'third error', 190), true)
  nothing(namespace, 1e12)
  const [{ id: letterId, ...letter } = { id: 0 }, ...others] = letters(namespace)
  assert.deepEqual(others, [])
  assert.deepEqual(letter, {
    messageId: id,
    queue: 'default',
    kind: 0,
    data: '{"order":7}',
    attempts: 3,
    error: 'third error',
    createdAt: 10,
    failedAt: 190,
  })
  assert.deepEqual(queues.deadLetter(namespace, letterId), { id: letterId, ...letter })
  balanced(namespace)
})

test('with no pauses there is one try', () => {
  const namespace = freshNamespace()
  bury(namespace, 'once', 0)
  nothing(namespace, 1e12)
  assert.equal(letters(namespace)[0]?.attempts, 1)
})

test('messages come in the order in which they are due, and those of one moment as they were sent', () => {
  const namespace = freshNamespace()
  const ids = [30, 0, 10, 0].map((delay) => door.enqueue(namespace, delay, { delay }, 0))
  const given = [0, 0, 10, 30].map((nowMs) => take(namespace, nowMs).id)
  assert.deepEqual(given, [ids[1], ids[3], ids[2], ids[0]])
})

test('a delayed message is not given out a millisecond early', () => {
  const namespace = freshNamespace()
  door.enqueue(namespace, 'later', { delay: 100 }, 5)
  nothing(namespace, 104)
  assert.equal(queues.nextDueAt(namespace, 'default'), 105)
  take(namespace, 105)
})

test('queues and namespaces do not see the messages of each other', () => {
  const namespace = freshNamespace()
  const other = freshNamespace()
  door.enqueue(namespace, 'a', { queue: 'a' })
  door.enqueue(other, 'b', { queue: 'b' })
  nothing(namespace, 10, 'b')
  nothing(other, 10, 'a')
  nothing(freshNamespace(), 10)
  const message = take(namespace, 10, 'a')
  assert.equal(queues.ack(other, message, 11), false)
  assert.equal(queues.nack(other, message, '', 11), false)
  assert.equal(queues.extend(other, message, leaseMs, 11), false)
  const letterId = bury(namespace, 'c', 12)
  assert.equal(queues.deadLetter(other, letterId), undefined)
  assert.equal(queues.deleteDeadLetter(other, letterId), false)
  assert.equal(queues.requeue(other, letterId, 12), undefined)
  assert.equal(queues.purgeDeadLetters(other, undefined), 0)
  assert.equal(letters(namespace).length, 1)
  assert.equal(queues.ack(namespace, message, 13), true)
})

test('a leased message is nobody else’s until the lease ends, and due again at that moment', () => {
  const namespace = freshNamespace()
  door.enqueue(namespace, 'work')
  const first = take(namespace, 0)
  assert.equal(queues.nextDueAt(namespace, 'default'), leaseMs)
  nothing(namespace, leaseMs - 1)
  const second = take(namespace, leaseMs)
  assert.deepEqual([second.id, second.attempts], [first.id, 2])
  assert.notEqual(second.lease, first.lease)
})

test('a lease survives a restart, and so does its end', async () => {
  const restarted = await createQueueFile()
  try {
    const before = restarted.open()
    before.enqueue('shared:a', 'held')
    const held = take('shared:a', 0, 'default', before)
    before.close()
    const behind = restarted.open()
    assert.equal(behind.queues.dequeue('shared:a', 'default', leaseMs, leaseMs - 1), undefined)
    assert.equal(take('shared:a', leaseMs, 'default', behind).id, held.id)
  } finally {
    restarted.close()
  }
})

test('a receipt whose lease has ended does nothing, whoever has the message now', () => {
  const namespace = freshNamespace()
  door.enqueue(namespace, 'work')
  const late = take(namespace, 0)
  const stale = (receipt: Receipt, nowMs: number): void => {
    assert.equal(queues.ack(namespace, receipt, nowMs), false)
    assert.equal(queues.nack(namespace, receipt, 'late', nowMs), false)
    assert.equal(queues.extend(namespace, receipt, leaseMs, nowMs), false)
  }
  stale(late, leaseMs)
  const holder = take(namespace, leaseMs)
  const commits = door.commits()
  stale(late, leaseMs + 1)
  stale({ id: holder.id, lease: '' }, leaseMs + 1)
  stale({ id: holder.id + 1, lease: holder.lease }, leaseMs + 1)
  assert.equal(door.commits(), commits, 'a receipt that is stale wakes nobody')
  assert.equal(queues.ack(namespace, holder, leaseMs + 1), true)
  stale(holder, leaseMs + 2)
  balanced(namespace)
})

test('a message that was given back cannot be ended by the one who gave it', () => {
  const namespace = freshNamespace()
  door.enqueue(namespace, 'work', { backoffSchedule: [10] })
  const message = take(namespace, 0)
  queues.nack(namespace, message, '', 1)
  assert.equal(queues.ack(namespace, message, 2), false)
  assert.equal(queues.extend(namespace, message, leaseMs, 2), false)
  take(namespace, 11)
})

test('an extended lease ends later, or earlier', () => {
  const namespace = freshNamespace()
  door.enqueue(namespace, 'work')
  const message = take(namespace, 0)
  assert.equal(queues.extend(namespace, message, 5000, 500), true)
  nothing(namespace, 5499)
  assert.equal(queues.extend(namespace, message, 10, 5499), true)
  nothing(namespace, 5508)
  assert.equal(take(namespace, 5509).attempts, 2)
})

test('messages are counted as they wait, are worked on, or are dead', () => {
  const namespace = freshNamespace()
  for (let at = 0; at < 4; at += 1) door.enqueue(namespace, at, { queue: 'a' })
  door.enqueue(namespace, 'delayed', { queue: 'a', delay: 1e9 })
  door.enqueue(namespace, 'other', { queue: 'b' })
  take(namespace, 0, 'a')
  const short = queues.dequeue(namespace, 'a', 5, 0)
  const counts = (queue: string | undefined, nowMs: number) => queues.queueCounts(namespace, queue, nowMs)
  assert.deepEqual(counts('a', 4), { pending: 3, processing: 2, dead: 0 })
  assert.deepEqual(counts('a', 5), { pending: 4, processing: 1, dead: 0 })
  assert.deepEqual(counts(undefined, 4), { pending: 4, processing: 2, dead: 0 })
  bury(namespace, 'dead', 5, 'c')
  assert.deepEqual(counts(undefined, 5), { pending: 5, processing: 1, dead: 1 })
  assert.deepEqual(counts('c', 5), { pending: 0, processing: 0, dead: 1 })
  assert.ok(short && !queues.ack(namespace, short, 5))
  assert.deepEqual(queues.queueCounts('shared:unknown', undefined, 0), {
    pending: 0,
    processing: 0,
    dead: 0,
  })
})

test('looking for work where none is due neither writes nor waits for a writer', () => {
  const namespace = freshNamespace()
  door.enqueue(namespace, 'later', { delay: 100 })
  const writer = file.open()
  const commits = door.commits()
  writer.session.write(() => {
    nothing(namespace, 99)
    nothing(freshNamespace(), 99)
    assert.throws(() => queues.dequeue(namespace, 'default', leaseMs, 100), { code: 'SQLITE_BUSY' })
  })
  assert.equal(door.commits(), commits)
  assert.equal(take(namespace, 100).attempts, 1)
})

test('the queues of a namespace take so many messages, and a commit that sends more is refused whole', () => {
  const namespace = freshNamespace()
  const other = freshNamespace()
  const enqueue = { type: 'enqueue', message: encodeMessage(1, { backoffSchedule: [] }, 0) } as const
  const send = (count: number): Commit => ({ checks: [], mutations: Array(count).fill(enqueue) })
  door.session.write(() => {
    for (let left = kvLimits.messagesMax - 1; left > 0; left -= kvLimits.mutationsMax) {
      door.entries.commit(namespace, send(Math.min(left, kvLimits.mutationsMax)))
    }
  })
  const set = { type: 'set', key: encodeKey(['k']), value: encodeValue(1, 0) } as const
  const tooMany = { namespace, commit: { checks: [], mutations: [set, enqueue, enqueue] } }
  const [refused, fine] = door.entries.commitAll([tooMany, { namespace: other, commit: send(1) }])
  assert.match(String(refused && 'error' in refused && refused.error), /hold 99999 messages, and 100000/)
  assert.ok(fine && 'ok' in fine && fine.ok)
  assert.equal(door.entry(namespace, ['k']), undefined)
  assert.equal(door.entries.commit(namespace, send(1)).ok, true)
  assert.throws(() => door.entries.commit(namespace, send(1)), { code: 'KV_QUEUE_FULL', status: 507 })
  balanced(namespace)
  assert.equal(queues.queueCounts(namespace, 'default', 0).pending, kvLimits.messagesMax)

  // What dies or is worked off makes room, and a dead letter comes back only into that room.
  assert.equal(queues.nack(namespace, take(namespace, 0), 'no', 1), true)
  const letterId = letters(namespace)[0]?.id ?? 0
  door.entries.commit(namespace, send(1))
  assert.throws(() => queues.requeue(namespace, letterId, 1), { code: 'KV_QUEUE_FULL' })
  assert.equal(letters(namespace).length, 1)
  assert.equal(queues.ack(namespace, take(namespace, 0), 1), true)
  assert.ok(queues.requeue(namespace, letterId, 1))
  balanced(namespace)
})

test('messages count against the quota of the namespace, with their keys', () => {
  const namespace = freshNamespace()
  const small = file.open({ namespaceBytesMax: 1000 })
  const send = () => small.enqueue(namespace, 'v'.repeat(200), { keysIfUndelivered: [['key']] })
  send()
  send()
  assert.throws(send, { code: 'KV_QUOTA_EXCEEDED' })
  queues.ack(namespace, take(namespace, 0), 1)
  send()
  balanced(namespace)
})
