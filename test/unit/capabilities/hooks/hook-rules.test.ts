import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hookLimits } from '../../../../src/base/limits/hooks.js'
import { hookEvents, isBeforeWrite } from '../../../../src/capabilities/hooks/events.js'
import {
  checkHook,
  eventOfKey,
  hooksOf,
  readPriority,
} from '../../../../src/capabilities/hooks/hook-rules.js'
import { decodeHookCall, encodeHookCall } from '../../../../src/capabilities/hooks/wire.js'

test('the events are those of writes, before and after, and the two of reads', () => {
  assert.deepEqual([...hookEvents].sort(), [
    'after_archive',
    'after_create',
    'after_delete',
    'after_publish',
    'after_read',
    'after_update',
    'before_archive',
    'before_create',
    'before_delete',
    'before_publish',
    'before_read',
    'before_update',
  ])
  assert.deepEqual(hookEvents.filter(isBeforeWrite).length, 5)
})

test('a priority is truncated and clamped; what is no number is the default', () => {
  const cases: [unknown, number][] = [
    [1, 1],
    [1000, 1000],
    [0, 1],
    [-5, 1],
    [1001, 1000],
    [99.9, 99],
    [0.9, 1],
    [Number.POSITIVE_INFINITY, 1000],
    [Number.NEGATIVE_INFINITY, 1],
    [Number.NaN, 100],
    [2n ** 62n, 1000],
    ['5', 100],
    [true, 100],
    [undefined, 100],
  ]
  for (const [priority, expected] of cases) {
    assert.equal(readPriority({ priority: priority as number }), expected, String(priority))
  }
  for (const options of [undefined, null, 5, 'text', [], {}]) assert.equal(readPriority(options), 100)
})

test('the checks come in their order: event, table, read hooks, count', () => {
  const full = hookLimits.registrationsMax
  assert.match(checkHook('nothing', '', full) ?? '', /invalid hook event "nothing"/)
  assert.match(checkHook('before_read', '', full) ?? '', /empty/)
  assert.match(checkHook('before_read', '*', full) ?? '', /not allowed for read hooks/)
  assert.match(checkHook('after_read', '*', 0) ?? '', /not allowed for read hooks/)
  assert.match(checkHook('before_create', '*', full) ?? '', /maximum hook limit/)
  assert.equal(checkHook('before_create', '*', full - 1), undefined)
  assert.equal(checkHook('before_create', 'ä'.repeat(64), 0), undefined)
  assert.match(checkHook('before_create', 'ä'.repeat(65), 0) ?? '', /invalid hook table/)
})

test('keys and data cross whatever the table is called', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...hookEvents),
      fc.string({ minLength: 1 }).filter((text) => checkHook('before_create', text, 0) === undefined),
      fc.json(),
      (event, table, json) => {
        const key = `${event}:${table}#1`
        assert.deepEqual(decodeHookCall(encodeHookCall({ key, json })), { key, json })
        assert.equal(eventOfKey(key), event)
      },
    ),
  )
})

test('hooks are numbered within their plugin, and within their event and table', () => {
  const data = (event: string, table: string) => ({ event, table, priority: 100 })
  const registrations = [
    { kind: 'hook', key: 'before_create:a#1', data: data('before_create', 'a') },
    { kind: 'route', key: 'GET /', data: {} },
    { kind: 'hook', key: 'before_create:*#2', data: data('before_create', '*') },
    { kind: 'hook', key: 'before_create:a#3', data: data('before_create', 'a') },
    { kind: 'hook', key: 'forged', data: { event: 'toString', table: 'a', priority: 1 } },
  ]
  assert.deepEqual(
    hooksOf(registrations).map(({ number, ordinal, table }) => [number, ordinal, table]),
    [
      [1, 1, 'a'],
      [2, 1, '*'],
      [3, 2, 'a'],
    ],
  )
})
