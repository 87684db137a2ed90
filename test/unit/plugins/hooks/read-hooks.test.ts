import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HookContext, HookedRead } from '../../../../src/content/hook-runner.js'
import type { CallOutcome } from '../../../../src/sandbox/generation.js'
import { createHookWorld, failedWith, type SeenCall, scriptedPlugin } from '../../../helpers/hook-world.js'

const context: HookContext = { requestId: 'r1', actor: '', depth: 0 }
const read: HookedRead = {
  slug: 'home',
  headers: { accept: '*/*' },
  query: { q: '1' },
  clientIp: '127.0.0.1',
}
const before = ['before_read', 'content_data'] as const
const after = ['after_read', 'content_data'] as const

/** What an executor would send for a read hook. */
function opinion(state: object, status = 0, headers: readonly string[] = [], json?: unknown): CallOutcome {
  return {
    ok: true,
    result: [status, headers.join('\n'), json && JSON.stringify(json), JSON.stringify(state)],
  }
}

describe('read hooks', () => {
  it('see the request and the state that the hooks before have left, those behind the entry too', async (t) => {
    const seen: unknown[] = []
    const script = ({ key, data }: SeenCall) => {
      seen.push(data)
      return opinion({ ...(data._a === undefined ? {} : { _a: data._a }), [`_${key.at(-1)}`]: true })
    }
    const world = await createHookWorld(t, scriptedPlugin('a', [before, before, after], script))
    const engine = world.engine()
    const { answer, state } = await engine.beforeRead(read, context)
    assert.equal(answer, undefined)
    assert.deepEqual(state, { _2: true })
    assert.deepEqual(
      await engine.afterRead(read, { _a: 1, slug: 'forged' }, context).then(Object.entries),
      [],
    )
    const asked = { slug: 'home', headers: { accept: '*/*' }, query: { q: '1' }, client_ip: '127.0.0.1' }
    assert.deepEqual(seen, [
      { ...asked, _table: 'content_data', _event: 'before_read' },
      { ...asked, _1: true, _table: 'content_data', _event: 'before_read' },
      { ...asked, _a: 1, _table: 'content_data', _event: 'after_read' },
    ])
    assert.deepEqual(
      world.samples.map(({ when }) => when),
      ['before', 'before', 'after'],
    )
  })

  it('may answer in the place of the entry; the first answer ends the chain', async (t) => {
    const seen: string[] = []
    const script = ({ key }: SeenCall) => {
      seen.push(key)
      return opinion({ _s: 1 }, 302, ['location', '/other'], undefined)
    }
    const world = await createHookWorld(t, scriptedPlugin('a', [before, before], script))
    const verdict = await world.engine().beforeRead(read, context)
    assert.deepEqual(seen.length, 1)
    assert.deepEqual({ ...verdict.answer?.headers }, { location: '/other' })
    assert.deepEqual(
      [verdict.answer?.status, verdict.answer?.json, verdict.state],
      [302, undefined, { _s: 1 }],
    )
  })

  it('are skipped when they fail, count their errors, and are switched off', async (t) => {
    let calls = 0
    const failing = scriptedPlugin('a', [before, after], () => {
      calls += 1
      return failedWith('TIMEOUT')
    })
    const good = scriptedPlugin('b', [before, after], ({ key }) =>
      key.startsWith('before') ? opinion({ _b: 1 }) : opinion({}, 0, ['x-b', '1']),
    )
    const world = await createHookWorld(t, failing, good)
    const engine = world.engine()
    for (let count = 0; count < 5; count += 1) {
      assert.deepEqual(await engine.beforeRead(read, context), { answer: undefined, state: { _b: 1 } })
      assert.deepEqual({ ...(await engine.afterRead(read, {}, context)) }, { 'x-b': '1' })
    }
    assert.equal(calls, 6)
    assert.deepEqual(
      engine.breakers().map(({ event, state }) => [event, state]),
      [
        ['before_read', 'open'],
        ['after_read', 'open'],
      ],
    )
    assert.ok(world.samples.some(({ status }) => status === 'timeout'))
  })

  it('without a VM are skipped and not counted', async (t) => {
    const world = await createHookWorld(
      t,
      scriptedPlugin('a', [before], () => failedWith('POOL_EXHAUSTED')),
    )
    const engine = world.engine()
    for (let count = 0; count < 5; count += 1) await engine.beforeRead(read, context)
    assert.deepEqual(engine.breakers(), [])
  })

  it('add headers, of which the later wins and too many are left out', async (t) => {
    const many = Array.from({ length: 99 }, (_, at) => [`x-${at}`, '1']).flat()
    const script = ({ key }: SeenCall) =>
      opinion({}, 0, key.endsWith('#1') ? [...many, 'x-a', 'first'] : ['x-a', 'second', 'x-more', '1'])
    const world = await createHookWorld(t, scriptedPlugin('a', [after, after], script))
    const headers = await world.engine().afterRead(read, {}, context)
    assert.equal(Object.keys(headers).length, 100)
    assert.equal(headers['x-a'], 'second')
    assert.equal(headers['x-more'], undefined)
  })

  it('never reject, whatever is handed in', async (t) => {
    const world = await createHookWorld(
      t,
      scriptedPlugin('a', [before, after], () => opinion({})),
    )
    const engine = world.engine()
    const broken = { ...read, query: { q: 1n as unknown as string } }
    assert.deepEqual(await engine.beforeRead(broken, context), { answer: undefined, state: {} })
    assert.deepEqual({ ...(await engine.afterRead(broken, {}, context)) }, {})
  })
})
