import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kvLimits } from '../../../src/base/limits/kv.js'
import { encodeKey, type KvKey } from '../../../src/kv/key.js'
import type { KvEnqueueOptions } from '../../../src/kv/kv.js'
import {
  anyQueueName,
  deadLetterQuery,
  encodeMessage,
  leaseLength,
  messageId,
  queueName,
} from '../../../src/kv/queue-options.js'

test('a message without options goes to the default queue, now, and is tried four times', () => {
  const message = encodeMessage({ a: 1 }, {}, 1000)
  assert.deepEqual(message, {
    queue: 'default',
    value: { kind: 0, data: '{"a":1}', bytes: 7 },
    dueAt: 1000,
    backoffMs: [1000, 5000, 10_000],
    keysIfUndelivered: [],
  })
})

test('options at their limits are taken', () => {
  const pauses = Array<number>(kvLimits.backoffPausesMax).fill(kvLimits.backoffPauseMsMax)
  const keys = Array<KvKey>(kvLimits.keysIfUndeliveredMax).fill(['k'])
  const queue = `q${'_'.repeat(kvLimits.queueCharactersMax - 1)}`
  const options = { queue, delay: kvLimits.delayMsMax, backoffSchedule: pauses, keysIfUndelivered: keys }
  const message = encodeMessage(null, options, 5)
  assert.equal(message.queue, queue)
  assert.equal(message.dueAt, 5 + kvLimits.delayMsMax)
  assert.deepEqual(message.backoffMs, pauses)
  assert.deepEqual(
    message.keysIfUndelivered,
    keys.map((key) => encodeKey(key)),
  )
  assert.deepEqual(encodeMessage(null, { backoffSchedule: [] }, 0).backoffMs, [])
})

const wrong: readonly (readonly [string, unknown, RegExp])[] = [
  ['a negative delay', { delay: -1 }, /"delay" is -1; .* of milliseconds from 0 to 2592000000/],
  ['a delay of half a millisecond', { delay: 0.5 }, /"delay" is 0.5/],
  ['a delay that is no number', { delay: Number.NaN }, /"delay" is NaN/],
  ['a delay as text', { delay: '5' }, /"delay" is 5/],
  ['a delay beyond the limit', { delay: kvLimits.delayMsMax + 1 }, /"delay" is 2592000001/],
  ['pauses that are no list', { backoffSchedule: 5 }, /"backoffSchedule" is 5; it is an array/],
  ['too many pauses', { backoffSchedule: Array(21).fill(1) }, /has 21 items, and 20 are allowed/],
  ['a negative pause', { backoffSchedule: [1, -2] }, /"backoffSchedule\[1\]" is -2/],
  ['a pause of a table', { backoffSchedule: [{}] }, /"backoffSchedule\[0\]" is an object/],
  ['a pause beyond the limit', { backoffSchedule: [86_400_001] }, /from 0 to 86400000/],
  ['keys that are no list', { keysIfUndelivered: 'k' }, /"keysIfUndelivered" is k; it is an array/],
  ['too many keys', { keysIfUndelivered: Array(11).fill(['k']) }, /has 11 items, and 10 are allowed/],
]
for (const [name, options, text] of wrong) {
  test(`${name} is refused`, () => {
    const send = () => encodeMessage(1, options as KvEnqueueOptions, 0)
    assert.throws(send, { code: 'KV_OPTION_INVALID', status: 400, message: text })
  })
}

test('a key and a value that cannot be stored are refused before anything is sent', () => {
  assert.throws(() => encodeMessage(1, { keysIfUndelivered: [[]] }, 0), { code: 'KV_KEY_INVALID' })
  assert.throws(() => encodeMessage('x'.repeat(kvLimits.valueBytesMax), {}, 0), {
    code: 'KV_VALUE_TOO_LARGE',
  })
})

test('names of queues have a grammar, and those of the host can only be looked at', () => {
  assert.equal(queueName(), 'default')
  for (const name of ['a', 'a-b_9']) assert.equal(queueName(name), name)
  const refused = ['', 'A', '9', '_a', 'a b', 'a.b', 'a\n', 'é', '$changes', 'x'.repeat(64), null, 5, {}]
  for (const name of refused) {
    assert.throws(() => queueName(name as string), { code: 'KV_QUEUE_INVALID', status: 400 })
  }
  assert.equal(anyQueueName('$changes'), '$changes')
  for (const name of ['$', '$$a', '$A', 'a$']) {
    assert.throws(() => anyQueueName(name), { code: 'KV_QUEUE_INVALID' })
  }
})

test('a long name is not repeated whole', () => {
  assert.throws(
    () => queueName('x'.repeat(1e6)),
    (error: Error) => error.message.length < 500,
  )
})

test('leases last from a millisecond to an hour', () => {
  assert.equal(leaseLength(), 30_000)
  for (const ms of [1, kvLimits.leaseMsMax]) assert.equal(leaseLength(ms), ms)
  for (const ms of [0, -1, 1.5, Number.NaN, kvLimits.leaseMsMax + 1]) {
    assert.throws(() => leaseLength(ms), { code: 'KV_OPTION_INVALID', message: /"lease" is .* 1 to 3600000/ })
  }
})

test('a page of dead letters has a limit', () => {
  assert.deepEqual(deadLetterQuery(), { queue: undefined, limit: 100, offset: 0 })
  assert.deepEqual(deadLetterQuery({ queue: '$c', limit: 1000, offset: 5 }), {
    queue: '$c',
    limit: 1000,
    offset: 5,
  })
  for (const options of [{ limit: 0 }, { limit: 1001 }, { offset: -1 }, { offset: 0.5 }]) {
    assert.throws(() => deadLetterQuery(options), { code: 'KV_OPTION_INVALID' })
  }
})

test('an id is read from its text, and anything else is nobody’s', () => {
  assert.equal(messageId('17'), 17)
  for (const text of ['', '0', '-1', '1.0', '1e3', ' 1', '0x10', '9'.repeat(16), 'abc']) {
    assert.equal(messageId(text), 0)
  }
})
