import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { HookEvent } from '../../../../src/capabilities/hooks/events.js'
import { HookIndex } from '../../../../src/plugins/hooks/hook-index.js'
import { nothing, scriptedPlugin, TestDirectory, type TestHook } from '../../../helpers/hook-world.js'

const approval = (served: { grants: { isApproved(kind: 'hook', key: string): boolean } }, key: string) =>
  served.grants.isApproved('hook', key)

const hooks = fc.array(
  fc.tuple(
    fc.constantFrom('before_create', 'before_update'),
    fc.constantFrom('a', 'b', '*'),
    fc.integer({ min: 1, max: 4 }),
  ),
  { maxLength: 12 },
)

test('hooks stand by priority, then table before "*", then registration, then load of the plugin', () => {
  fc.assert(
    fc.property(fc.array(hooks, { maxLength: 5 }), fc.constantFrom('a', 'b', 'c'), (lists, table) => {
      const plugins = lists.map((list, at) => scriptedPlugin(`p${at}`, list, () => nothing))
      const index = new HookIndex(new TestDirectory(...plugins), approval)
      const entries = index.matching('before_create', table)
      const ranks = entries.map(({ hook, load }) => [
        hook.priority,
        hook.table === '*' ? 1 : 0,
        hook.number,
        load,
      ])
      for (const [at, rank] of ranks.entries()) {
        const next = ranks[at + 1]
        if (next === undefined) continue
        const difference = rank
          .map((value, part) => value - (next[part] as number))
          .find((value) => value !== 0)
        assert.ok(difference === undefined || difference < 0, `${rank} stands before ${next}`)
      }
      const wanted = lists
        .flat()
        .filter(([event, of]) => event === 'before_create' && [table, '*'].includes(of))
      assert.equal(entries.length, wanted.length)
    }),
  )
})

test('hooks that are not approved, and those of plugins that do not run, are left out', () => {
  const list: readonly TestHook[] = [
    ['before_create', 'a'],
    ['before_create', '*'],
  ]
  const running = scriptedPlugin('running', list, () => nothing)
  const stranger = scriptedPlugin('stranger', list, () => nothing, { approved: false })
  const stopped = { ...scriptedPlugin('stopped', list, () => nothing), state: 'stopped' as const }
  const directory = new TestDirectory(stranger, running, stopped)
  const index = new HookIndex(directory, approval)
  const names = (event: HookEvent, table: string) => index.matching(event, table).map(({ plugin }) => plugin)
  assert.deepEqual(names('before_create', 'a'), ['running', 'running'])
  assert.deepEqual(names('before_create', 'b'), ['running'])
  assert.deepEqual(names('after_create', 'a'), [])
  assert.equal(index.find('stranger', 'before_create', '*', 1)?.isApproved, false)
  assert.equal(index.find('stopped', 'before_create', '*', 1), undefined)
  directory.replace({ ...stopped, state: 'running' })
  directory.replace({ ...running, state: 'stopped' })
  assert.deepEqual(names('before_create', 'b'), ['stopped'])
})

test('the order is made once for as long as no plugin changes', () => {
  let asked = 0
  const plugin = scriptedPlugin('a', [['before_create', 'a']], () => nothing)
  const directory = new TestDirectory(plugin)
  const index = new HookIndex(directory, () => {
    asked += 1
    return true
  })
  for (let count = 0; count < 10; count += 1) assert.equal(index.matching('before_create', 'a').length, 1)
  assert.equal(asked, 1)
  directory.replace({ ...plugin })
  index.approved()
  assert.equal(asked, 2)
})

test('hooks for one event and table are told apart by their order, whatever else is registered', () => {
  const before = scriptedPlugin(
    'a',
    [
      ['after_create', 'x'],
      ['after_create', 'x'],
    ],
    () => nothing,
  )
  const later = scriptedPlugin(
    'a',
    [
      ['after_update', 'x'],
      ['after_create', 'x'],
      ['after_create', 'x'],
    ],
    () => nothing,
  )
  for (const [plugin, keys] of [
    [before, ['after_create:x#1', 'after_create:x#2']],
    [later, ['after_create:x#2', 'after_create:x#3']],
  ] as const) {
    const index = new HookIndex(new TestDirectory(plugin), approval)
    const found = [1, 2].map((ordinal) => index.find('a', 'after_create', 'x', ordinal)?.hook.key)
    assert.deepEqual(found, keys)
  }
})
