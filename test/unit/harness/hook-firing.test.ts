import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineError } from '../../../src/base/errors.js'
import type { HookedRead, HookedWrite, HookRow } from '../../../src/content/hook-runner.js'
import { fireHook, type TestHooks } from '../../../src/harness/hook-firing.js'

const vetoed = defineError('HOOK_VETOED', 422, 'plugin {plugin} refused')

/** Hooks that note what they are given: `before` refuses rows without a title and adds one word to the others. */
function recordingHooks(): { hooks: TestHooks; writes: HookedWrite[]; reads: HookedRead[] } {
  const writes: HookedWrite[] = []
  const reads: HookedRead[] = []
  const hooks: TestHooks = {
    runner: {
      before: async (write) => {
        writes.push(write)
        if (write.row.title === '') throw vetoed({ plugin: 'demo' })
        return { ...write.row, seen: true }
      },
      enqueue: async () => undefined,
      committed: () => undefined,
      beforeRead: async (read) => {
        reads.push(read)
        return { answer: { status: 404, headers: {}, json: { gone: true } }, state: { kept: 1 } }
      },
      afterRead: async (_read, state) => ({ 'x-kept': String(state.kept) }),
    },
    deliver: async (write) => void writes.push(write),
    idle: async () => [],
  }
  return { hooks, writes, reads }
}

function fire(hooks: TestHooks, event: string, data: HookRow, state?: HookRow) {
  const texts = { data: JSON.stringify(data), state: state && JSON.stringify(state) }
  return fireHook(hooks, { event, table: 'content_data', ...texts }, 'request-1')
}

test('a before-hook gives the row as it left it, or why it refused', async () => {
  const { hooks, writes } = recordingHooks()
  assert.deepEqual(await fire(hooks, 'before_create', { title: 'a', _table: 'x', _event: 'y' }), {
    row: '{"title":"a","seen":true}',
  })
  assert.deepEqual(await fire(hooks, 'before_archive', { title: '' }), { refusal: 'plugin demo refused' })
  assert.deepEqual(writes[0], { event: 'create', table: 'content_data', row: { title: 'a' }, old: undefined })
})

test('the row as it was comes from _old, and is the row itself without it', async () => {
  const { hooks, writes } = recordingHooks()
  await fire(hooks, 'before_update', { title: 'new', _old: { title: 'old' } })
  await fire(hooks, 'before_delete', { title: 'gone' })
  assert.deepEqual(
    writes.map(({ row, old }) => [row, old]),
    [
      [{ title: 'new' }, { title: 'old' }],
      [{ title: 'gone' }, { title: 'gone' }],
    ],
  )
})

test('an after-hook is delivered and not waited for', async () => {
  const { hooks, writes } = recordingHooks()
  assert.deepEqual(await fire(hooks, 'after_publish', { title: 'a' }), {})
  assert.equal(writes[0]?.event, 'publish')
})

test('read hooks take what a delivery has, and give response, state and headers', async () => {
  const { hooks, reads } = recordingHooks()
  const before = await fire(hooks, 'before_read', {
    slug: 'home',
    headers: { 'X-A': 'b' },
    query: { page: 2 },
  })
  assert.deepEqual(JSON.parse(before.response ?? ''), { status: 404, headers: {}, json: { gone: true } })
  assert.equal(before.state, '{"kept":1}')
  const [read] = reads
  assert.deepEqual([read?.slug, read?.clientIp], ['home', '127.0.0.1'])
  assert.deepEqual({ ...read?.headers, ...read?.query }, { 'x-a': 'b', page: '2' })
  assert.deepEqual(await fire(hooks, 'after_read', { slug: 'home' }, { kept: 7 }), {
    headers: '{"x-kept":"7"}',
  })
})

test('an event that there is not, and after_read without a state, are misuse', async () => {
  const { hooks } = recordingHooks()
  for (const event of ['before_insert', 'create', 'after_', 'before_read_', '']) {
    await assert.rejects(fire(hooks, event, {}), { code: 'TEST_MISUSE', message: /invalid hook event/ })
  }
  await assert.rejects(fire(hooks, 'after_read', {}), /needs the state/)
})

test('what fails for another reason is not taken for a refusal', async () => {
  const { hooks } = recordingHooks()
  const broken: TestHooks = {
    ...hooks,
    runner: { ...hooks.runner, before: () => Promise.reject(new Error('broken')) },
  }
  await assert.rejects(fire(broken, 'before_create', {}), /broken/)
})
