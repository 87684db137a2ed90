import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PluginBreaker } from '../../../src/plugins/breaker.js'
import { GrantTable } from '../../../src/plugins/grants/grant-table.js'
import { hookChain } from '../../../src/plugins/hook-chain.js'
import { Pipelines } from '../../../src/plugins/pipelines.js'
import type { ServedPlugin } from '../../../src/plugins/plugin-directory.js'
import { RouteTable } from '../../../src/plugins/route-table.js'
import { FakeGeneration } from '../../helpers/fake-sandbox.js'

/** A hook as `event:table priority`. */
type HookText = string

function served(name: string, hooks: readonly HookText[], changes: Partial<ServedPlugin> = {}): ServedPlugin {
  const registrations = hooks.map((text, index) => {
    const [key = '', priority = '100'] = text.split(' ')
    const [event = '', table = ''] = key.split(':')
    return {
      kind: 'hook',
      key: `${key}#${index + 1}`,
      data: { event, table, priority: Number(priority) },
    }
  })
  const keys = [...new Set(hooks.map((text) => text.split(' ')[0] ?? ''))]
  const generation = new FakeGeneration({
    id: 1,
    plugin: name,
    version: '1',
    inspection: { pluginInfo: undefined, hasOnInit: false, hasOnShutdown: false, registrations },
    fake: {},
    events: [],
  })
  return {
    name,
    state: 'running',
    generation,
    routes: RouteTable.create([]),
    grants: GrantTable.create(
      keys.map((key) => ({ kind: 'hook', key, description: '', approved: !key.includes('secret') })),
    ),
    breaker: new PluginBreaker({ failuresMax: 5, resetMs: 1000, onTrip: () => undefined }),
    ...changes,
  }
}

const orderOf = (plugins: readonly ServedPlugin[], event: string, table: string) =>
  hookChain(plugins, event, table).map(({ plugin, key }) => `${plugin.name} ${key}`)

describe('hookChain', () => {
  it('orders by priority, specific before wildcard, registration, then start', () => {
    const first = served('first', ['before_create:* 50', 'before_create:posts 50', 'before_create:posts 10'])
    const second = served('second', [
      'before_create:posts 50',
      'before_create:other 1',
      'after_create:posts 1',
    ])
    assert.deepEqual(orderOf([first, second], 'before_create', 'posts'), [
      'first before_create:posts#3',
      'second before_create:posts#1',
      'first before_create:posts#2',
      'first before_create:*#1',
    ])
    assert.deepEqual(orderOf([second, first], 'before_create', 'unknown'), ['first before_create:*#1'])
  })

  it('is a total order that does not depend on how plugins are listed beyond their start', () => {
    const hook = fc
      .tuple(fc.constantFrom('posts', '*'), fc.constantFrom(1, 2))
      .map(([table, priority]) => `before_create:${table} ${priority}`)
    fc.assert(
      fc.property(fc.array(fc.array(hook, { maxLength: 4 }), { maxLength: 4 }), (lists) => {
        const plugins = lists.map((hooks, index) => served(`p${index}`, hooks))
        const chain = hookChain(plugins, 'before_create', 'posts')
        assert.equal(chain.length, lists.flat().length)
        const ranks = chain.map(({ priority, table, key, plugin }) => [
          priority,
          table === '*' ? 1 : 0,
          Number(key.split('#')[1]),
          Number(plugin.name.slice(1)),
        ])
        for (const [index, rank] of ranks.entries()) {
          const next = ranks[index + 1]
          if (next === undefined) continue
          const differs = rank.findIndex((part, at) => part !== next[at])
          assert.ok(differs >= 0 && (rank[differs] ?? 0) < (next[differs] ?? 0))
        }
      }),
    )
  })
})

describe('Pipelines', () => {
  const running = served('running', ['before_create:posts', 'before_create:secret', 'after_publish:*'])
  const stopped = served('stopped', ['before_create:posts'], { state: 'stopped' })
  const failing = served('failing', ['before_create:posts 1'])
  const pipelines = new Pipelines(
    () => [running, stopped, failing],
    (plugin, event, table) => `${plugin} ${event}:${table}` === 'failing before_create:posts',
  )

  it('shows what would fire around an operation, and why something would not', () => {
    assert.deepEqual(
      pipelines.dryRun({ table: 'posts', operation: 'create' }).map(({ phase, steps }) => ({
        phase,
        steps: steps.map(({ plugin, disabledBy }) => `${plugin} ${disabledBy}`),
      })),
      [
        {
          phase: 'before',
          steps: ['failing breaker_open', 'running undefined', 'stopped plugin_not_running'],
        },
      ],
    )
    const secret = pipelines.dryRun({ table: 'secret', operation: 'create' })
    assert.deepEqual(
      secret.flatMap(({ steps }) => steps.map(({ disabledBy }) => disabledBy)),
      ['not_approved'],
    )
  })

  it('lists every hook once, and every chain of a table or operation', () => {
    assert.equal(pipelines.list().length, 5)
    assert.deepEqual(pipelines.list().map(({ id }) => id)[0], 'running:before_create:posts#1')
    const chains = (query?: { table?: string; operation?: string }) =>
      pipelines.dryRun(query).map(({ table, phase, operation }) => `${table} ${phase} ${operation}`)
    assert.deepEqual(chains({ operation: 'publish' }), [
      '* after publish',
      'posts after publish',
      'secret after publish',
    ])
    assert.deepEqual(chains({ table: 'elsewhere' }), ['elsewhere after publish'])
    assert.equal(chains().length, 5)
    assert.deepEqual(chains({ operation: 'nothing' }), [])
  })
})
