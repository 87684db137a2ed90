import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ClientError, Kv, type KvBatch, type KvWatchOptions } from '../../../sdk/client/index.js'
import { startHost, type TestHost, useHost } from '../../helpers/create-host.js'
import { TcpRelay } from '../../helpers/tcp-relay.js'
import { until } from '../../helpers/until.js'

interface Setting {
  readonly host: TestHost
  readonly relay: TcpRelay
  /** Talks to the host through the relay. */
  readonly kv: Kv
  /** Talks to the host straight. */
  direct(): Kv
}

const shared = useHost({ plugins: {} })

/** A relay to the host of all tests; each of them has keys of its own. */
async function setUp(test: TestContext): Promise<Setting> {
  return settingOf(await TcpRelay.start(test), shared())
}

/** A relay to a host that the test closes. */
async function setUpMortal(test: TestContext): Promise<Setting> {
  const relay = await TcpRelay.start(test)
  return settingOf(relay, await startHost(test, { plugins: {} }))
}

function settingOf(relay: TcpRelay, host: TestHost): Setting {
  relay.target = host.url
  const { token } = host.host.adminToken
  return {
    host,
    relay,
    kv: new Kv(relay.url, { token }),
    direct: () => new Kv(host.url, { token }),
  }
}

/** Follows a prefix and keeps the values of all changes that are told. */
function record(kv: Kv, name: string, options: KvWatchOptions) {
  const values: unknown[] = []
  const batches: KvBatch[] = []
  const errors: Error[] = []
  const onError = (error: Error) => void errors.push(error)
  const watch = kv.watch(
    { prefix: [name] },
    (changes, batch) => {
      values.push(...changes.map(({ value }) => value))
      batches.push(batch)
    },
    { onError, ...options },
  )
  return { watch, values, batches, errors }
}

for (const mode of ['sse', 'polling'] as const) {
  test(`a watch over ${mode} goes on where it was when its connection is cut, again and again`, async (test) => {
    const { kv, relay, direct } = await setUp(test)
    const { watch, values, batches } = record(kv, mode, { mode, initial: false, pollInterval: 10 })
    const writer = direct()
    const count = 30
    for (let n = 0; n < count; n += 1) {
      await writer.set([mode, n % 3], n)
      if (n === 0) await until('the watch has begun', () => values.length > 0 || relay.accepted > 1)
      if (n % 10 === 5) relay.cut()
    }
    await until('the last change has come', () => values.at(-1) === count - 1)
    await watch.stop()
    const first = values[0] as number
    const told = Array.from({ length: count - first }, (_, at) => first + at)
    assert.deepEqual(values, told, 'nothing is missing and nothing comes twice')
    assert.ok(batches.every(({ reset }) => !reset))
  })
}

test('a watch that was begun misses nothing that its own client writes afterwards', async (test) => {
  const { kv } = await setUp(test)
  for (let round = 0; round < 20; round += 1) {
    const watch = kv.watch({ prefix: ['own'] }, { initial: false })[Symbol.asyncIterator]()
    await kv.set(['own'], round)
    const { value } = await watch.next()
    assert.deepEqual(
      value?.changes.map((change: { value: unknown }) => change.value),
      [round],
    )
    await watch.return?.()
  }
})

test('a watch outlives its host: it waits for the next one and goes on', async (test) => {
  const { kv, relay, host } = await setUpMortal(test)
  await kv.set(['n', 'before'], 'before')
  const { watch, values, errors } = record(kv, 'n', {})
  await until('it has begun', () => values.length === 1)
  await kv.set(['n', 1], 'first')
  await until('the first change has come', () => values.length === 2)
  const { token } = host.host.adminToken
  await host.close()
  await until('the client has noticed', () => errors.length > 0)
  await host.restart()
  relay.target = host.url
  await new Kv(host.url, { token }).set(['n', 2], 'second')
  await until('the change of the new host has come', () => values.length >= 3)
  await watch.stop()
  assert.deepEqual(values, ['before', 'first', 'second'])
  assert.ok(errors.every((error) => (error as ClientError).status === 0 || !('status' in error)))
})

test('what trying again does not mend ends the watch with the error', async (test) => {
  const { relay } = await setUp(test)
  const stranger = new Kv(relay.url, { token: 'wrong' })
  const errors: Error[] = []
  const watch = stranger.watch(['n'], () => assert.fail('nothing is told'), {
    onError: (error) => void errors.push(error),
  })
  await assert.rejects(watch.closed, { status: 401, code: 'UNAUTHORIZED' })
  assert.equal(errors.length, 1)
  await assert.rejects(watch.stop(), { code: 'UNAUTHORIZED' })
  const iterator = stranger.watch(['n'])[Symbol.asyncIterator]()
  await assert.rejects(iterator.next(), { status: 401, code: 'UNAUTHORIZED' })
})

test('a handler that throws ends its watch, and the error is in closed', async (test) => {
  const { kv } = await setUp(test)
  await kv.set(['thrown'], 1)
  const watch = kv.watch(['thrown'], () => {
    throw new RangeError('mine')
  })
  await assert.rejects(watch.closed, RangeError)
})

test('a watch stops while it waits for a server that is not there', async (test) => {
  const { kv, host } = await setUpMortal(test)
  await host.close()
  const errors: Error[] = []
  const watch = kv.watch(['n'], () => {}, { onError: (error) => void errors.push(error) })
  await until('it has tried', () => errors.length >= 2)
  await watch.stop()
  const tried = errors.length
  assert.equal(errors.length, tried)
  {
    using disposed = kv.watch(['n'], () => {}, { onError: () => {} })
    assert.ok(disposed)
  }
})

test('a signal stops a watch and a listener', async (test) => {
  const { kv } = await setUp(test)
  const controller = new AbortController()
  const { signal } = controller
  const watch = kv.watch(['n'], () => {}, { signal })
  const listener = kv.listenQueue(() => {}, { signal })
  controller.abort()
  await Promise.all([watch.closed, listener.closed])
})

test('a slow handler does not make the client read ahead, unless it is told to', async (test) => {
  const { kv, direct } = await setUp(test)
  const writer = direct()
  for (const bufferSize of [undefined, 2]) {
    const batches: KvBatch[] = []
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const options = { initial: false, ...(bufferSize === undefined ? {} : { bufferSize }) }
    const watch = kv.watch(
      { prefix: ['slow'] },
      async (_changes, batch) => {
        batches.push(batch)
        await gate
      },
      options,
    )
    await kv.get(['any'])
    await writer.set(['slow', 'first'], 0)
    await until('the handler is at work', () => batches.length === 1)
    for (let n = 1; n <= 10; n += 1) await writer.set(['slow', n % 5], n)
    await writer.set(['slow', 'last'], 'last')
    release()
    const values = () => batches.flatMap(({ changes }) => changes.map(({ value }) => value))
    await until('the last change has come', () => values().includes('last'))
    await watch.stop()
    if (bufferSize === undefined) assert.deepEqual(values(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 'last'])
  }
})
