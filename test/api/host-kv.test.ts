import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type KvBatch, KvU64 } from '../../src/host.js'
import { useHost } from '../helpers/create-host.js'

const shared = useHost({
  plugins: {},
  config: { 'keyval.namespace_bytes': 64 * 1024, 'keyval.sweep_interval': '50ms' },
})

it('the embedding application keeps entries that a restart leaves, also what was still to be written; its watches end', async () => {
  const server = shared()
  const first = server.host.kv
  const written = await first.namespace('shop').set(['hits'], new KvU64(5n))
  assert.equal(first.namespace('shop').namespace, 'shared:shop')
  const watch = first
    .namespace('closing')
    .watch({ keys: [['other']] }, { initial: false })
    [Symbol.asyncIterator]()
  const waiting = watch.next()
  const writing = first.namespace('closing').set(['k'], 1)
  await Promise.all([server.restart(), writing])
  assert.equal((await waiting).done, true)
  assert.equal((await server.host.kv.namespace('closing').get(['k'])).value, 1)
  const kv = server.host.kv.namespace('shared:shop')
  assert.deepEqual(await kv.get(['hits']), {
    key: ['hits'],
    value: new KvU64(5n),
    versionstamp: written.versionstamp,
  })
  await assert.rejects(first.namespace('shop').get(['hits']), { code: 'KV_CLOSED' })
})

it('the configuration bounds namespaces and says how often expired entries are removed', async () => {
  const server = shared()
  const kv = server.host.kv.namespace('small')
  await kv.set(['a'], 'x'.repeat(60_000), { expiresIn: 100 })
  await assert.rejects(kv.set(['b'], 'x'.repeat(60_000)), { code: 'KV_QUOTA_EXCEEDED' })
  const watch = kv.watch({ keys: [['a']] }, { initial: false })[Symbol.asyncIterator]()
  const { value } = (await watch.next()) as { value: KvBatch }
  assert.deepEqual(
    value.changes.map(({ type }) => type),
    ['delete'],
  )
  await kv.set(['b'], 'x'.repeat(60_000))
})
