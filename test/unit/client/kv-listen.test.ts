import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ClientError, Kv, type KvListenOptions, type KvMessage } from '../../../sdk/client/index.js'
import { useHost } from '../../helpers/create-host.js'
import { TcpRelay } from '../../helpers/tcp-relay.js'
import { until } from '../../helpers/until.js'

interface Setting {
  readonly relay: TcpRelay
  readonly kv: Kv
  /** Not through the relay. */
  readonly direct: Kv
}

const host = useHost({ plugins: {} })

/** A relay to the host of all tests; each of them has a queue of its own. */
async function setUp(test: TestContext): Promise<Setting> {
  const relay = await TcpRelay.start(test)
  relay.target = host().url
  const { token } = host().host.adminToken
  return { relay, kv: new Kv(relay.url, { token }), direct: new Kv(host().url, { token }) }
}

const modes = ['sse', 'polling'] as const

for (const mode of modes) {
  const options = (more: KvListenOptions = {}): KvListenOptions => ({ mode, pollInterval: 10, ...more })

  test(`${mode}: each message is handled once, in order, and acknowledged`, async (test) => {
    const { kv } = await setUp(test)
    const queue = `order-${mode}`
    const values: unknown[] = []
    const listener = kv.listenQueue(({ value }) => void values.push(value), options({ queue }))
    for (let n = 0; n < 10; n += 1) await kv.enqueue(n, { queue })
    await until('all are done', async () => (await kv.queueStats(queue)).total === 0)
    await listener.stop()
    assert.deepEqual(values, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test(`${mode}: a handler that throws gives its message back with the error`, async (test) => {
    const { kv } = await setUp(test)
    const queue = `failing-${mode}`
    const errors: unknown[] = []
    const attempts: number[] = []
    const onError = (error: Error, message?: KvMessage) => void errors.push([error.message, message?.value])
    const listener = kv.listenQueue((message) => {
      attempts.push(message.attempts)
      throw new Error(`failure ${message.attempts}`)
    }, options({ queue, onError }))
    await kv.enqueue('job', { queue, backoffSchedule: [1] })
    await until('it is dead', async () => (await kv.queueStats(queue)).dlq === 1)
    await listener.stop()
    assert.deepEqual(attempts, [1, 2])
    assert.deepEqual(errors, [
      ['failure 1', 'job'],
      ['failure 2', 'job'],
    ])
    const [letter] = await kv.dlq.list({ queue })
    assert.equal(letter?.errorMessage, 'failure 2')
  })

  test(`${mode}: as many messages are handled at the same time as it is told, and no more are taken`, async (test) => {
    const { kv } = await setUp(test)
    const queue = `concurrency-${mode}`
    let running = 0
    let most = 0
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const listener = kv.listenQueue(
      async () => {
        running += 1
        most = Math.max(most, running)
        await gate
        running -= 1
      },
      options({ queue, concurrency: 3 }),
    )
    for (let n = 0; n < 8; n += 1) await kv.enqueue(n, { queue })
    await until('three are at work', () => running === 3)
    const { pending, processing } = await kv.queueStats(queue)
    assert.deepEqual([pending, processing], [5, 3], 'the others are there for somebody else')
    release()
    await until('all are done', async () => (await kv.queueStats(queue)).total === 0)
    await listener.stop()
    assert.equal(most, 3)
  })

  test(`${mode}: stop waits for the handler, and leaves the other messages in the queue`, async (test) => {
    const { kv } = await setUp(test)
    const queue = `stopped-${mode}`
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const values: unknown[] = []
    const listener = kv.listenQueue(async ({ value }) => {
      await gate
      values.push(value)
    }, options({ queue }))
    for (let n = 0; n < 3; n += 1) await kv.enqueue(n, { queue })
    await until('one is at work', async () => (await kv.queueStats(queue)).processing === 1)
    let hasStopped = false
    const stopping = listener.stop().then(() => {
      hasStopped = true
    })
    assert.equal((await kv.queueStats(queue)).processing, 1)
    assert.equal(hasStopped, false)
    release()
    await stopping
    assert.deepEqual(values, [0])
    assert.deepEqual(await kv.queueStats(queue), { pending: 2, processing: 0, dlq: 0, total: 2 })
    assert.equal((await kv.queues.dequeue({ queue }))?.attempts, 1, 'nobody has tried the next one')
  })

  test(`${mode}: without autoAck the handler answers`, async (test) => {
    const { kv } = await setUp(test)
    const queue = `manual-${mode}`
    const listener = kv.listenQueue(
      async (message) => {
        assert.equal(await kv.extendMessage(message, '1m'), true)
        if (message.attempts === 1) assert.equal(await kv.nackMessage(message, 'not yet'), true)
        else assert.equal(await kv.ackMessage(message), true)
      },
      options({ queue, autoAck: false }),
    )
    await kv.enqueue('job', { queue, backoffSchedule: [1, 1] })
    await until('it is done', async () => (await kv.queueStats(queue)).total === 0)
    await listener.stop()
  })

  test(`${mode}: connections that are cut lose no message`, async (test) => {
    const { kv, relay, direct } = await setUp(test)
    const queue = `cut-${mode}`
    const handled = new Set<unknown>()
    const listener = kv.listenQueue(
      ({ value }) => void handled.add(value),
      options({ queue, lease: 300, onError: () => {} }),
    )
    for (let n = 0; n < 20; n += 1) {
      await direct.enqueue(n, { queue, backoffSchedule: [1, 1, 1, 1, 1, 1] })
      if (n % 6 === 3) relay.cut()
    }
    await until('all are done', async () => (await direct.queueStats(queue)).total === 0)
    await listener.stop()
    assert.equal(handled.size, 20)
    assert.equal((await direct.queueStats(queue)).dlq, 0)
  })
}

test('a lease that ends before its handler is told, and the message comes again', async (test) => {
  const { kv } = await setUp(test)
  const queue = 'leases'
  const errors: ClientError[] = []
  const attempts: number[] = []
  const listener = kv.listenQueue(
    async (message) => {
      attempts.push(message.attempts)
      if (message.attempts > 1) return
      await until('the lease has ended', () => Date.now() > message.leasedUntil)
    },
    {
      queue,
      mode: 'polling',
      pollInterval: 10,
      lease: 300,
      onError: (error) => void errors.push(error as ClientError),
    },
  )
  await kv.enqueue('job', { queue })
  await until('it is done', async () => (await kv.queueStats(queue)).total === 0)
  await listener.stop()
  assert.equal(errors[0]?.code, 'KV_LEASE_ENDED')
  assert.deepEqual(attempts, [1, 2])
})

test('a listener that may not listen ends with the error', async (test) => {
  const { relay } = await setUp(test)
  const stranger = new Kv(relay.url, { token: 'wrong' })
  for (const mode of modes) {
    const listener = stranger.listenQueue(() => assert.fail('nothing is handled'), { mode })
    await assert.rejects(listener.closed, { status: 401, code: 'UNAUTHORIZED' })
  }
  await assert.rejects(stranger.listenQueue(() => {}, { concurrency: 0 }).closed, {
    code: 'KV_OPTION_INVALID',
  })
})
