import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Deferred } from '../../../src/base/deferred.js'
import { lifecycleLimits, watchLimits } from '../../../src/base/limits/plugins.js'
import {
  type ChangeOutcome,
  ReloadSchedule,
  type ReloadScheduleOptions,
} from '../../../src/plugins/watch/reload-schedule.js'
import { until } from '../../helpers/until.js'

interface Fixture {
  readonly schedule: ReloadSchedule
  /** Folders in the order in which their loads began. */
  readonly begun: string[]
  readonly log: string[]
}

function create(
  apply: (folder: string) => Promise<ChangeOutcome>,
  options: Partial<ReloadScheduleOptions> = {},
): Fixture {
  const begun: string[] = []
  const log: string[] = []
  const note = (_fields: object, message: string) => void log.push(message)
  const schedule = new ReloadSchedule({
    debounceMs: 10,
    cooldownMs: 0,
    log: { info: note, warn: note, error: note },
    apply: (folder) => {
      begun.push(folder)
      return apply(folder)
    },
    ...options,
  })
  return { schedule, begun, log }
}

test('makes one load of a burst, and one more of a change while it runs', async () => {
  const gate = new Deferred<void>()
  const { schedule, begun } = create(async () => {
    await gate.promise
    return 'loaded'
  })
  for (let change = 0; change < 100; change += 1) schedule.changed('a')
  await until('the load runs', () => begun.length === 1)
  for (let change = 0; change < 100; change += 1) schedule.changed('a')
  gate.resolve()
  await until('the second load runs', () => begun.length === 2)
  await schedule.close()
  assert.deepEqual(begun, ['a', 'a'])
})

test('loads files that never rest', async () => {
  const { schedule, begun } = create(async () => 'loaded', { debounceMs: 20 })
  let isOver = false
  const storm = (async () => {
    while (!isOver) {
      schedule.changed('a')
      await pause(2)
    }
  })()
  await until('it is loaded in the middle of the storm', () => begun.length > 0)
  isOver = true
  await storm
  await schedule.close()
})

test('puts a change off to the end of the cooldown, which a load without effect does not start', async () => {
  const outcomes: ChangeOutcome[] = ['unchanged', 'loaded', 'loaded']
  const times: number[] = []
  const { schedule } = create(
    async () => {
      times.push(performance.now())
      return outcomes[times.length - 1] ?? 'unchanged'
    },
    { cooldownMs: 700 },
  )
  for (let load = 1; load <= 3; load += 1) {
    schedule.changed('a')
    await until(`load ${load}`, () => times.length === load)
  }
  await schedule.close()
  const [first = 0, second = 0, third = 0] = times
  assert.ok(third - second >= 690)
  assert.ok(second - first < third - second)
})

test('keeps a failed load in the cooldown as well, and outlives one that throws', async () => {
  const { schedule, begun, log } = create(async () => {
    throw new Error('boom')
  })
  schedule.changed('a')
  await until('it is logged', () => log.includes('a changed plugin folder could not be loaded'))
  schedule.changed('a')
  await until('it is tried again', () => begun.length === 2)
  await schedule.close()
})

test('pauses a folder after slow loads in a row, notes its changes, and goes on when it is resumed', async () => {
  const { schedule, begun, log } = create(
    async () => {
      await pause(8)
      return 'loaded'
    },
    { slowMs: 1 },
  )
  for (let load = 1; load <= watchLimits.slowReloadsMax; load += 1) {
    assert.equal(schedule.isPaused('a'), false)
    schedule.changed('a')
    await until(`load ${load}`, () => begun.filter((folder) => folder === 'a').length === load)
    schedule.changed('b-unrelated')
  }
  await until('it is paused', () => schedule.isPaused('a'))
  assert.ok(log.some((line) => line.includes('paused') && line.includes('modulacms plugin reload')))
  const count = begun.filter((folder) => folder === 'a').length
  schedule.changed('a')
  await pause(50)
  assert.equal(begun.filter((folder) => folder === 'a').length, count)
  schedule.resume('a')
  assert.equal(schedule.isPaused('a'), false)
  await until('what was noted is loaded', () => begun.filter((folder) => folder === 'a').length > count)
  await schedule.close()
})

test('loads a few folders at a time, and in the end all of them', async () => {
  let running = 0
  let most = 0
  const { schedule, begun } = create(async () => {
    running += 1
    most = Math.max(most, running)
    await pause(3)
    running -= 1
    return 'loaded'
  })
  const folders = Array.from({ length: 40 }, (_, number) => `folder-${number}`)
  for (const folder of folders) schedule.changed(folder)
  await until('all are loaded', () => begun.length === folders.length)
  await schedule.close()
  assert.deepEqual([...begun].sort(), [...folders].sort())
  assert.equal(most, lifecycleLimits.parallelMax)
})

test('starts nothing after it is closed, and waits for what runs', async () => {
  const gate = new Deferred<void>()
  let ended = false
  const { schedule, begun } = create(async () => {
    await gate.promise
    ended = true
    return 'loaded'
  })
  schedule.changed('a')
  await until('the load runs', () => begun.length === 1)
  schedule.changed('a')
  schedule.changed('b')
  const closing = schedule.close()
  gate.resolve()
  await closing
  assert.ok(ended)
  schedule.changed('c')
  await pause(30)
  assert.deepEqual(begun, ['a'])
})
