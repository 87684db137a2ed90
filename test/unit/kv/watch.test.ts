import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { it } from 'node:test'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { kvLimits } from '../../../src/base/limits/kv.js'
import type { Kv, KvBatch } from '../../../src/kv/kv.js'
import { openKvFixture } from '../../helpers/kv-service.js'
import type { WriterOrders } from './kv-worker.js'

function follow(kv: Kv): AsyncIterator<KvBatch> {
  return kv.watch({ prefix: [] }, { initial: false })[Symbol.asyncIterator]()
}

it('watchers are counted, and room comes back when one ends', async (test) => {
  const { service, close } = await openKvFixture()
  test.after(close)
  const full = service.namespace('full')
  const watchers = Array.from({ length: kvLimits.namespaceWatchersMax }, () => follow(full))
  assert.throws(() => follow(full), { code: 'KV_WATCHERS_MAX', status: 429 })
  await watchers[0]?.return?.()
  await watchers[0]?.return?.()
  follow(full)
  assert.throws(() => follow(full), { code: 'KV_WATCHERS_MAX' })
  for (let count = kvLimits.namespaceWatchersMax; count < kvLimits.watchersMax; count += 1) {
    follow(service.namespace(`other-${count % 100}`))
  }
  assert.throws(() => follow(service.namespace('last')), { code: 'KV_WATCHERS_FULL', status: 503 })
})

it('a watcher that ends while it waits gives its place back', async (test) => {
  const { service, close } = await openKvFixture()
  test.after(close)
  const kv = service.namespace('waiting')
  for (let count = 0; count < 2 * kvLimits.namespaceWatchersMax; count += 1) {
    const controller = new AbortController()
    const watcher = kv.watch({ prefix: [] }, { initial: false, signal: controller.signal })
    const waiting = watcher[Symbol.asyncIterator]().next()
    controller.abort()
    assert.equal((await waiting).done, true)
  }
})

it('several watchers of many namespaces are each told of their own', async (test) => {
  const { service, close } = await openKvFixture()
  test.after(close)
  const names = Array.from({ length: 20 }, (_, at) => `n${at}`)
  const waiting = names.map((name) => follow(service.namespace(name)).next())
  await Promise.all(names.map((name) => service.namespace(name).set(['k'], name)))
  const batches = await Promise.all(waiting)
  assert.deepEqual(
    batches.map(({ value }) => (value as KvBatch).changes.map((change) => change.value)),
    names.map((name) => [name]),
  )
})

it('commits that this process is not told of are noticed all the same', async (test) => {
  const { service, file, close } = await openKvFixture()
  test.after(close)
  const kv = service.namespace('elsewhere')
  const waiting = follow(kv).next()
  // A signal of its own stands for another process: it shares nothing but the file.
  const workerData: WriterOrders = {
    file,
    signal: new SharedArrayBuffer(4),
    namespace: kv.namespace,
    name: 'x',
    rounds: 1,
  }
  const worker = new Worker(new URL('./kv-worker.js', import.meta.url), { workerData })
  await once(worker, 'message')
  const { value } = await waiting
  assert.ok((value as KvBatch).changes.length > 0)
})

it('a watcher that does not read meanwhile holds nothing, and starts anew when it is too far behind', async (test) => {
  const { service, close } = await openKvFixture()
  test.after(close)
  const kv = service.namespace('slow')
  const watcher = follow(kv)
  const count = 2500
  for (let from = 0; from < count; from += 100) {
    const atomic = kv.atomic()
    for (let at = from; at < from + 100; at += 1) atomic.set(['n', at], 'x'.repeat(4000))
    await atomic.commit()
  }
  const keys = new Set<string>()
  let batches = 0
  for (let isComplete = false; !isComplete; batches += 1) {
    const { value } = (await watcher.next()) as { value: KvBatch }
    assert.equal(value.reset, true)
    for (const { key } of value.changes) keys.add(JSON.stringify(key))
    isComplete = value.isComplete
    // What is written while pages are read comes behind them.
    if (batches === 0) await kv.set(['n', 0], 'again')
  }
  assert.ok(batches > 1)
  assert.equal(keys.size, count)
  const { value: next } = (await watcher.next()) as { value: KvBatch }
  assert.deepEqual(
    next.changes.map(({ key, value }) => [key, value]),
    [[['n', 0], 'again']],
  )
})

it('who asks for two batches at once gets them in order', async (test) => {
  const { service, close } = await openKvFixture()
  test.after(close)
  const kv = service.namespace('twice')
  const watcher = follow(kv)
  const both = [watcher.next(), watcher.next()]
  await kv.set(['a'], 1)
  const first = (await both[0]) as { value: KvBatch }
  await kv.set(['b'], 2)
  const second = (await both[1]) as { value: KvBatch }
  assert.deepEqual(
    first.value.changes.map(({ key }) => key),
    [['a']],
  )
  assert.deepEqual(
    second.value.changes.map(({ key }) => key),
    [['b']],
  )
})

it('closing the store ends its watches', async () => {
  const { service, close } = await openKvFixture()
  const waiting = follow(service.namespace('closing')).next()
  await close()
  assert.equal((await waiting).done, true)
  assert.throws(() => follow(service.namespace('closing')), { code: 'KV_CLOSED' })
})

it('a watch that waits does not keep the process alive', async () => {
  const fixture = new URL('../../helpers/kv-service.js', import.meta.url).href
  const script = `
    const { openKvFixture } = await import(${JSON.stringify(fixture)})
    const { service, stayAlive } = await openKvFixture()
    clearInterval(stayAlive)
    service.namespace('x').watch({ prefix: [] }, { initial: false })[Symbol.asyncIterator]().next()
    console.log('watching')`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 60_000,
  })
  assert.equal(stdout.trim(), 'watching')
})
