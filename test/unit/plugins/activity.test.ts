import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PluginActivity } from '../../../src/plugins/activity.js'

test('a plugin of which nothing is known has an empty record', () => {
  const activity = new PluginActivity(() => new Date(0))
  assert.deepEqual(activity.of('notes'), {
    trips: 0,
    lastTripAt: undefined,
    budgetKills: {},
    lastError: undefined,
  })
})

test('what has gone wrong is counted by plugin, with the time of the last', () => {
  let time = Date.parse('2030-01-02T03:04:05.000Z')
  const activity = new PluginActivity(() => new Date(time))
  activity.noteTrip('notes')
  activity.noteBudgetKill('notes', 'TIMEOUT')
  activity.noteError('notes', 'HANDLER_TIMEOUT')
  time += 1000
  activity.noteTrip('notes')
  activity.noteBudgetKill('notes', 'TIMEOUT')
  activity.noteBudgetKill('notes', 'MEMORY')
  activity.noteError('other', 'HANDLER_ERROR')
  assert.deepEqual(activity.of('notes'), {
    trips: 2,
    lastTripAt: '2030-01-02T03:04:06.000Z',
    budgetKills: { TIMEOUT: 2, MEMORY: 1 },
    lastError: { type: 'HANDLER_TIMEOUT', at: '2030-01-02T03:04:05.000Z' },
  })
  assert.equal(activity.of('other').lastError?.type, 'HANDLER_ERROR')
})
