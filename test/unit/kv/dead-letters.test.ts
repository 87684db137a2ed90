import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kvLimits } from '../../../src/base/limits/kv.js'
import { encodeKey } from '../../../src/kv/key.js'
import { encodeValue } from '../../../src/kv/stored-value.js'
import { leaseMs, openQueueBench } from '../../helpers/kv-queue-bench.js'
import { createQueueFile } from '../../helpers/kv-queue-fixture.js'

const { file, door, queues, freshNamespace, take, nothing, letters, balanced, bury } = await openQueueBench()

test('a message whose consumers crash uses up its tries, and its death says so', () => {
  const namespace = freshNamespace()
  door.enqueue(namespace, 'poison', { backoffSchedule: [50, 100], keysIfUndelivered: [['lost', 1]] })
  door.enqueue(namespace, 'good', { delay: 1 })
  let nowMs = 0
  const given = () => {
    const message = take(namespace, nowMs)
    if (message.data === '"good"') queues.ack(namespace, message, nowMs)
    nowMs += leaseMs
    return [message.data, message.attempts]
  }
  assert.deepEqual(
    [given(), given(), given(), given()],
    [
      ['"poison"', 1],
      ['"good"', 1],
      ['"poison"', 2],
      ['"poison"', 3],
    ],
  )
  assert.deepEqual(letters(namespace), [])
  nothing(namespace, nowMs)
  const [letter] = letters(namespace)
  assert.match(letter?.error ?? '', /last of 3 tries ended without an answer/)
  assert.equal(letter?.attempts, 3)
  assert.equal(door.entry(namespace, ['lost', 1]), 'poison')
  balanced(namespace)
})

test('the death of a poison message names the error that an earlier try was given back with', () => {
  const namespace = freshNamespace()
  door.enqueue(namespace, 'poison', { backoffSchedule: [0] })
  queues.nack(namespace, take(namespace, 0), 'disk on fire', 1)
  take(namespace, 1)
  nothing(namespace, 1 + leaseMs)
  assert.match(letters(namespace)[0]?.error ?? '', /without an answer.*disk on fire/)
})

test('many poison messages die over several looks, and the good one behind them is found', () => {
  const namespace = freshNamespace()
  const poisoned = kvLimits.deathsMax * 2 + 2
  for (let at = 0; at < poisoned; at += 1) {
    door.enqueue(namespace, at, { backoffSchedule: [] })
    take(namespace, 0)
  }
  const good = door.enqueue(namespace, 'good', { delay: leaseMs + 1 })
  const nowMs = leaseMs + 1
  for (let look = 1; look <= 2; look += 1) {
    nothing(namespace, nowMs)
    assert.equal(letters(namespace).length, look * kvLimits.deathsMax)
    assert.ok(
      (queues.nextDueAt(namespace, 'default') ?? nowMs + 1) <= nowMs,
      'it is to be asked again at once',
    )
  }
  assert.equal(take(namespace, nowMs).id, good)
  assert.equal(letters(namespace).length, poisoned)
})

test('death sets the keys, in the transaction and with all that a commit does', () => {
  const namespace = freshNamespace()
  const watcher = 'plugin:watcher'
  const keys = [['failed', 1], ['failed', 2], ['other']]
  door.entries.commit(namespace, {
    checks: [],
    mutations: [{ type: 'set', key: encodeKey(['x']), value: encodeValue(1, 0) }],
  })
  door.session.connection
    .prepare('insert into kv_triggers (namespace, plugin, queue, prefix) values (?, ?, ?, ?)')
    .run(door.session.namespaceId(namespace), watcher.slice('plugin:'.length), 'seen', encodeKey(['failed']))
  door.session.connection.prepare('update kv_namespaces set observers_version = 1').run()
  door.enqueue(namespace, 'v', { backoffSchedule: [], keysIfUndelivered: keys })
  const message = take(namespace, 0)
  assert.equal(door.entry(namespace, ['other']), undefined)
  queues.nack(namespace, message, 'no', 1)
  for (const key of keys) assert.equal(door.entry(namespace, key), 'v')
  assert.equal(queues.queueCounts(watcher, 'seen', 1).pending, 2)
  const [one, two] = door.entries.read(namespace, [encodeKey(['failed', 1]), encodeKey(['other'])])
  assert.equal(one?.versionstamp, two?.versionstamp)
  balanced(namespace)
  balanced(watcher)
})

test('bytes survive a queue, its keys and its dead letters', () => {
  const namespace = freshNamespace()
  const bytes = new Uint8Array([0, 255, 10])
  door.enqueue(namespace, bytes, { backoffSchedule: [], keysIfUndelivered: [['b']] })
  const message = take(namespace, 0)
  assert.deepEqual(new Uint8Array(message.data as Uint8Array), bytes)
  queues.nack(namespace, message, '', 1)
  assert.deepEqual(door.entry(namespace, ['b']), bytes)
  assert.equal(letters(namespace)[0]?.error, 'The consumer gave no reason.')
  balanced(namespace)
})

test('a message dies although the namespace has no room for its keys, and the letter says what was not done', () => {
  const namespace = freshNamespace()
  const small = file.open({ namespaceBytesMax: 1000 })
  const options = { backoffSchedule: [], keysIfUndelivered: [['a'], ['b']] }
  small.enqueue(namespace, 'v'.repeat(400), options)
  const message = take(namespace, 0)
  assert.equal(small.queues.nack(namespace, message, 'broken', 1), true)
  assert.equal(door.entry(namespace, ['a']), undefined)
  assert.match(letters(namespace)[0]?.error ?? '', /keys were not set: .*1000.*failed with: broken/)
  assert.deepEqual(queues.queueCounts(namespace, undefined, 1), { pending: 0, processing: 0, dead: 1 })
  balanced(namespace)
})

test('when the transaction of a death is undone, the message is still held and nothing is set', () => {
  const namespace = freshNamespace()
  door.enqueue(namespace, 'v', { backoffSchedule: [], keysIfUndelivered: [['k']] })
  const message = take(namespace, 0)
  assert.throws(
    () =>
      door.session.write(() => {
        assert.equal(queues.nack(namespace, message, 'no', 1), true)
        throw new Error('the process dies here')
      }),
    /dies here/,
  )
  assert.deepEqual(letters(namespace), [])
  assert.equal(door.entry(namespace, ['k']), undefined)
  assert.equal(queues.ack(namespace, message, 2), true)
})

test('the text of an error is cut between characters', () => {
  const namespace = freshNamespace()
  for (const error of ['x'.repeat(1e6), `x${'😀'.repeat(1000)}`, `\ud800${'é'.repeat(2000)}`]) {
    door.enqueue(namespace, 'v', { backoffSchedule: [] })
    queues.nack(namespace, take(namespace, 0), error, 1)
    const stored = letters(namespace)[0]?.error ?? ''
    const bytes = Buffer.byteLength(stored)
    assert.ok(bytes <= kvLimits.errorBytesMax && bytes > kvLimits.errorBytesMax - 4, `${bytes} bytes`)
    assert.ok(stored.endsWith('…'))
    assert.equal(stored.slice(1).includes('\ufffd'), false)
  }
  const exact = 'é'.repeat(kvLimits.errorBytesMax / 2)
  door.enqueue(namespace, 'v', { backoffSchedule: [] })
  queues.nack(namespace, take(namespace, 0), exact, 1)
  assert.equal(letters(namespace)[0]?.error, exact)
})

test('a requeued letter has all its tries, pauses and keys again', () => {
  const namespace = freshNamespace()
  door.enqueue(namespace, 'v', { queue: 'q', backoffSchedule: [7], keysIfUndelivered: [['k']] })
  queues.nack(namespace, take(namespace, 0, 'q'), 'one', 0)
  queues.nack(namespace, take(namespace, 7, 'q'), 'two', 7)
  door.entries.commit(namespace, { checks: [], mutations: [{ type: 'delete', key: encodeKey(['k']) }] })
  const [letter] = letters(namespace)
  const newId = queues.requeue(namespace, letter?.id ?? 0, 100)
  assert.ok(newId !== undefined && newId > (letter?.messageId ?? 0))
  assert.deepEqual(letters(namespace), [])
  assert.equal(queues.requeue(namespace, letter?.id ?? 0, 100), undefined)
  balanced(namespace)
  const again = take(namespace, 100, 'q')
  assert.deepEqual([again.id, again.attempts, again.data], [newId, 1, '"v"'])
  queues.nack(namespace, again, 'three', 100)
  assert.equal(queues.nextDueAt(namespace, 'q'), 107)
  queues.nack(namespace, take(namespace, 107, 'q'), 'four', 107)
  assert.equal(door.entry(namespace, ['k']), 'v')
  assert.equal(letters(namespace)[0]?.error, 'four')
  balanced(namespace)
})

test('dead letters come newest first, by queue and by page, and are deleted one by one or together', () => {
  const namespace = freshNamespace()
  const [a1, b1, a2] = [
    bury(namespace, 'a1', 1, 'a'),
    bury(namespace, 'b1', 2, 'b'),
    bury(namespace, 'a2', 3, 'a'),
  ]
  const ids = (query: { queue?: string; limit: number; offset: number }) =>
    queues.deadLetters(namespace, query).map(({ id }) => id)
  assert.deepEqual(ids({ limit: 10, offset: 0 }), [a2, b1, a1])
  assert.deepEqual(ids({ limit: 1, offset: 1 }), [b1])
  assert.deepEqual(ids({ queue: 'a', limit: 10, offset: 1 }), [a1])
  assert.equal(queues.deleteDeadLetter(namespace, a1), true)
  assert.equal(queues.deleteDeadLetter(namespace, a1), false)
  assert.equal(queues.purgeDeadLetters(namespace, 'b'), 1)
  assert.deepEqual(ids({ limit: 10, offset: 0 }), [a2])
  assert.equal(queues.purgeDeadLetters(namespace, undefined), 1)
  assert.equal(queues.purgeDeadLetters(namespace, undefined), 0)
  balanced(namespace)
})

test('a purge and a page of large letters go in slices', () => {
  const namespace = freshNamespace()
  const large = 'v'.repeat(kvLimits.valueBytesMax - 2)
  const count = kvLimits.deadLettersSliceMax + 5
  door.session.write(() => {
    for (let at = 0; at < count; at += 1) bury(namespace, large, 0)
  })
  const page = letters(namespace)
  assert.equal(page.length, kvLimits.pageBytesMax / kvLimits.valueBytesMax)
  assert.equal(
    queues.deadLetters(namespace, { limit: 1000, offset: page.length }).length,
    count - page.length,
  )
  const slices = [1, 2, 3].map(() => queues.purgeDeadLetters(namespace, undefined))
  assert.deepEqual(slices, [kvLimits.deadLettersSliceMax, 5, 0])
  balanced(namespace)
})

test('dead letters are swept by their age, in slices, and not a millisecond early', async () => {
  const swept = await createQueueFile()
  try {
    const { queues, session, enqueue, accounts } = swept.open()
    const count = kvLimits.deadLettersSliceMax + 1
    session.write(() => {
      for (let at = 0; at <= count; at += 1) {
        const namespace = `shared:n${at % 3}`
        const nowMs = at === count ? 2 : 1
        enqueue(namespace, at, { backoffSchedule: [] }, nowMs)
        const message = queues.dequeue(namespace, 'default', 10, nowMs)
        assert.ok(message && queues.nack(namespace, message, '', nowMs))
      }
    })
    const nowMs = kvLimits.deadLetterMsMax
    assert.equal(queues.sweepDeadLetters(nowMs + 1), 0)
    assert.equal(queues.sweepDeadLetters(nowMs + 2), kvLimits.deadLettersSliceMax)
    assert.equal(queues.sweepDeadLetters(nowMs + 2), 1)
    assert.equal(queues.sweepDeadLetters(nowMs + 2), 0)
    const left = [0, 1, 2].map((at) => queues.queueCounts(`shared:n${at}`, undefined, nowMs).dead)
    assert.equal(left[0] ?? 0, 0)
    assert.equal((left[0] ?? 0) + (left[1] ?? 0) + (left[2] ?? 0), 1)
    for (const at of [0, 1, 2]) {
      const { counted, held } = accounts(`shared:n${at}`)
      assert.deepEqual(counted, held)
    }
  } finally {
    swept.close()
  }
})

test('a namespace keeps so many dead letters, and the newest ones', () => {
  const namespace = freshNamespace()
  door.session.write(() => {
    door.enqueue(namespace, 'v', { backoffSchedule: [] })
    queues.nack(namespace, take(namespace, 0), '', 0)
    const copy = door.session.connection.prepare(
      'insert into kv_dead_letters (namespace, queue, message_id, kind, attempts, backoff, fallback_keys, error, bytes, created_at, failed_at, value) select namespace, queue, message_id, kind, attempts, backoff, fallback_keys, error, 0, created_at, failed_at, value from kv_dead_letters where namespace = ? limit 1',
    )
    for (let at = 1; at < kvLimits.deadLettersMax; at += 1) copy.run(door.session.namespaceId(namespace))
  })
  const before = letters(namespace)[0]?.id ?? 0
  bury(namespace, 'last but one', 1)
  bury(namespace, 'last', 2)
  assert.equal(queues.queueCounts(namespace, undefined, 2).dead, kvLimits.deadLettersMax)
  assert.deepEqual(
    letters(namespace)
      .slice(0, 3)
      .map(({ id }) => id - before),
    [2, 1, 0],
  )
  assert.equal(queues.queueCounts(namespace, 'default', 2).dead, kvLimits.deadLettersMax)
  balanced(namespace)
})
