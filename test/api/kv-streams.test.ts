import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { kvHttpLimits } from '../../src/base/limits/kv.js'
import { startHost, type TestHost, useHost } from '../helpers/create-host.js'
import { openStream, type ReceivedEvent, type ReceivedStream } from '../helpers/event-stream.js'
import { type KvAnswer, kvCall, kvRefused, kvSend } from '../helpers/kv-calls.js'
import { until } from '../helpers/until.js'

interface Opening {
  readonly headers?: Readonly<Record<string, string>>
  readonly isPaused?: boolean
}

/** Opens a stream that is left when the test ends. */
async function open(
  test: TestContext,
  host: TestHost,
  path: string,
  { headers = {}, isPaused = false }: Opening = {},
): Promise<ReceivedStream> {
  const stream = await openStream(
    `${host.url}/keyval/api${path}`,
    { ...host.credentials, ...headers },
    { isPaused },
  )
  test.after(() => stream.close())
  return stream
}

function dataOf(event: ReceivedEvent | undefined): KvAnswer {
  assert.ok(event?.data !== undefined, 'the stream has ended')
  return JSON.parse(event.data)
}

const put = (host: TestHost, path: string, value: unknown) => kvCall(host, 'PUT', `/keys/${path}`, value)

describe('watching over HTTP', () => {
  const server = useHost({ plugins: {} })

  it('begins with what there is and goes on with what is changed', async (test) => {
    const host = server()
    const { versionstamp } = await put(host, 'w1/a', 1)
    const stream = await open(test, host, '/watch?keys=w1/a,w1/b')
    assert.equal(stream.status, 200)
    assert.match(String(stream.headers['content-type']), /^text\/event-stream/)
    assert.equal(stream.headers['cache-control'], 'no-store')
    assert.match(String(stream.headers['x-request-id']), /./)
    const reset = await stream.next('reset')
    assert.deepEqual(dataOf(reset), {
      complete: true,
      entries: [{ type: 'set', key: ['w1', 'a'], value: 1, versionstamp }],
    })
    assert.equal(stream.events[0]?.retry, String(kvHttpLimits.retryMs))
    await put(host, 'w1/other', 1)
    const second = await put(host, 'w1/b', { __type: 'bigint', value: '7' })
    const change = await stream.next('change')
    assert.equal(change?.id, second.versionstamp)
    assert.deepEqual(dataOf(change), [
      {
        type: 'set',
        key: ['w1', 'b'],
        value: { __type: 'bigint', value: '7' },
        versionstamp: second.versionstamp,
      },
    ])
    await kvCall(host, 'DELETE', '/keys/w1/a')
    const [deleted] = dataOf(await stream.next('change'))
    assert.deepEqual([deleted.type, deleted.key, deleted.value], ['delete', ['w1', 'a'], null])
  })

  it('without the beginning tells only what comes', async (test) => {
    const host = server()
    await put(host, 'w2/a', 1)
    const stream = await open(test, host, '/watch/prefix?prefix=w2&initial=false')
    await until('the watcher has begun', () => stream.events.length > 0)
    await put(host, 'w2/b', 2)
    const [change] = dataOf(await stream.next('change', 'reset'))
    assert.deepEqual([change.key, change.value], [['w2', 'b'], 2])
  })

  it('of a prefix keeps to it and keeps the types of parts', async (test) => {
    const host = server()
    const stream = await open(test, host, '/watch/prefix?prefix=w3')
    assert.deepEqual(dataOf(await stream.next('reset')), { complete: true, entries: [] })
    await put(host, 'w3x/1', 'a sibling')
    const key = ['w3', 1, '1', 'a/b', true, { __type: 'bytes', value: 'AP8=' }]
    await put(host, encodeURIComponent(JSON.stringify(key)), 'mine')
    const [change] = dataOf(await stream.next('change'))
    assert.deepEqual([change.key, change.value], [key, 'mine'])
  })

  it('goes on behind Last-Event-ID, or since, without a gap or a repetition', async (test) => {
    const host = server()
    const first = await put(host, 'w4/n', 1)
    for (const n of [2, 3, 4]) await put(host, 'w4/n', n)
    const header = { headers: { 'last-event-id': first.versionstamp } }
    const resumed = await open(test, host, '/watch?keys=w4/n&since=00000000000000000000', header)
    const query = await open(test, host, `/watch/prefix?prefix=w4&since=${first.versionstamp}`)
    for (const stream of [resumed, query]) {
      const values: number[] = []
      let id: string | undefined
      while (values.length < 3) {
        const event = await stream.next('change', 'reset')
        assert.equal(event?.event, 'change')
        values.push(...dataOf(event).map(({ value }: KvAnswer) => value))
        id = event?.id
      }
      assert.deepEqual(values, [2, 3, 4])
      const poll = await kvCall(host, 'GET', `/watch/poll?keys=w4/n&since=${id}`)
      assert.deepEqual([poll.entries, poll.reset], [[], false])
    }
  })

  it('by polls gives everything first, then changes', async () => {
    const host = server()
    const first = await put(host, 'w5/a', 1)
    const all = await kvCall(host, 'GET', '/watch/poll?keys=[["w5","a"],["w5","b"]]')
    assert.equal(all.reset, true)
    assert.deepEqual(all.entries, [
      { type: 'set', key: ['w5', 'a'], value: 1, versionstamp: first.versionstamp },
    ])
    assert.equal(all.versionstamp, first.versionstamp)
    await put(host, 'w5/b', 2)
    await put(host, 'elsewhere', 2)
    await kvCall(host, 'DELETE', '/keys/w5/a')
    const since = `since=${all.versionstamp}`
    for (const path of ['/watch/poll?keys=w5/a,w5/b', '/watch/prefix/poll?prefix=w5']) {
      const poll = await kvCall(host, 'GET', `${path}&${since}`)
      assert.equal(poll.reset, false)
      assert.deepEqual(
        poll.entries.map(({ type, key, value }: KvAnswer) => [type, key[1], value]),
        [
          ['set', 'b', 2],
          ['delete', 'a', null],
        ],
      )
      assert.deepEqual(await kvCall(host, 'GET', `${path}&since=${poll.versionstamp}`), {
        entries: [],
        versionstamp: poll.versionstamp,
        reset: false,
      })
    }
  })

  it('is refused before the stream begins where it cannot be', async () => {
    const host = server()
    const invalid = { status: 400, code: 'KV_REQUEST_INVALID' }
    await kvRefused(host, 'GET', '/watch', { ...invalid, text: /lacks the parameter "keys"/ })
    await kvRefused(host, 'GET', '/watch/prefix', { ...invalid, text: /lacks the parameter "prefix"/ })
    await kvRefused(host, 'GET', '/watch?prefixes=a', { ...invalid, text: /unknown parameter "prefixes"/ })
    await kvRefused(host, 'GET', '/watch?keys=a&initial=no', {
      ...invalid,
      text: /initial must be true or false/,
    })
    await kvRefused(host, 'GET', '/watch?keys=a&since=5', {
      ...invalid,
      text: /since must be a versionstamp/,
    })
    const header = { headers: { 'last-event-id': 'x' } }
    await kvRefused(host, 'GET', '/watch?keys=a', { ...invalid, text: /Last-Event-ID must be/ }, header)
    const keys = Array.from({ length: 101 }, (_, at) => `k${at}`).join(',')
    await kvRefused(host, 'GET', `/watch?keys=${keys}`, {
      status: 400,
      code: 'KV_OPTION_INVALID',
      text: /101 keys/,
    })
    const head = await kvSend(host, 'HEAD', '/watch?keys=a')
    assert.equal(head.status, 404)
  })
})

describe('listening to a queue over HTTP', () => {
  const server = useHost({ plugins: {} })

  it('gives messages out as they come, and leaves the answer to the client', async (test) => {
    const host = server()
    const stream = await open(test, host, '/queue/listen?queue=q1&lease=60000&concurrency=2')
    const { id } = await kvCall(host, 'POST', '/queue/enqueue', { value: { n: 1 }, options: { queue: 'q1' } })
    const event = await stream.next('message')
    const message = dataOf(event)
    assert.deepEqual([event?.id, message.id, message.value, message.attempts], [id, id, { n: 1 }, 1])
    await kvCall(host, 'POST', '/queue/enqueue', { value: { n: 2 }, options: { queue: 'q1', delay: 30 } })
    const second = dataOf(await stream.next('message'))
    assert.deepEqual(second.value, { n: 2 })
    for (const { id, lease } of [message, second]) {
      assert.deepEqual(await kvCall(host, 'POST', '/queue/ack', { id, lease }), { ok: true })
    }
    assert.equal((await kvCall(host, 'GET', '/queue/stats?queue=q1')).total, 0)
  })

  it('gives each message to one of several listeners, and again when its lease ends', async (test) => {
    const host = server()
    const streams = await Promise.all(
      [1, 2, 3].map(() => open(test, host, '/queue/listen?queue=q2&lease=60000&concurrency=30')),
    )
    for (let n = 0; n < 30; n += 1) {
      await kvCall(host, 'POST', '/queue/enqueue', { value: n, options: { queue: 'q2' } })
    }
    const received = () => streams.flatMap(({ events }) => events.filter(({ event }) => event === 'message'))
    await until('all have come', () => received().length >= 30)
    const values = received().map((event) => dataOf(event).value)
    assert.deepEqual(
      values.toSorted((a, b) => a - b),
      Array.from({ length: 30 }, (_, n) => n),
    )
    const again = await open(test, host, '/queue/listen?queue=q3&lease=1000')
    await kvCall(host, 'POST', '/queue/enqueue', { value: 'late', options: { queue: 'q3' } })
    const first = dataOf(await again.next('message'))
    const repeated = dataOf(await again.next('message'))
    assert.deepEqual([repeated.id, repeated.attempts], [first.id, 2])
    assert.notEqual(repeated.lease, first.lease)
    assert.deepEqual(await kvCall(host, 'POST', '/queue/ack', { id: first.id, lease: first.lease }), {
      ok: false,
    })
    assert.deepEqual(await kvCall(host, 'POST', '/queue/ack', { id: first.id, lease: repeated.lease }), {
      ok: true,
    })
  })

  it('gives out no more than the client works on', async (test) => {
    const host = server()
    const stream = await open(test, host, '/queue/listen?queue=q5&lease=60000')
    for (const value of ['first', 'second']) {
      await kvCall(host, 'POST', '/queue/enqueue', { value, options: { queue: 'q5' } })
    }
    const first = dataOf(await stream.next('message'))
    assert.equal(first.value, 'first')
    const { pending, processing } = await kvCall(host, 'GET', '/queue/stats?queue=q5')
    assert.deepEqual([pending, processing], [1, 1])
    assert.deepEqual(await kvCall(host, 'POST', '/queue/nack', { id: first.id, lease: first.lease }), {
      ok: true,
    })
    assert.equal(dataOf(await stream.next('message')).value, 'second')
    const outside = { status: 400, code: 'KV_REQUEST_INVALID', text: /concurrency/ }
    for (const concurrency of [0, 101]) {
      await kvRefused(host, 'GET', `/queue/listen?concurrency=${concurrency}`, outside)
    }
  })

  it('leaves messages in the queue whose listener has left', async (test) => {
    const host = server()
    for (let round = 0; round < 10; round += 1) {
      // What is sent to one whose leaving has not been noticed yet comes back with the end of its lease.
      const stream = await open(test, host, '/queue/listen?queue=q4&lease=1000')
      stream.close()
    }
    const { id } = await kvCall(host, 'POST', '/queue/enqueue', { value: 1, options: { queue: 'q4' } })
    const message = await until('it is given out', async () => {
      const poll = await kvCall(host, 'GET', '/queue/poll?queue=q4&lease=60000')
      return poll.message
    })
    assert.equal(message.id, id)
  })

  it('is refused before the stream begins where it cannot be', async () => {
    const host = server()
    const invalid = { status: 400, code: 'KV_OPTION_INVALID' }
    await kvRefused(host, 'GET', '/queue/listen?lease=0', invalid)
    await kvRefused(host, 'GET', '/queue/listen?queue=%00', { status: 400, code: 'KV_QUEUE_INVALID' })
  })
})

describe('streams', () => {
  it('are limited for each client, and free when they are left', async (test) => {
    const host = await startHost(test, { plugins: {} })
    const max = kvHttpLimits.streamsPerClientMax
    const streams: ReceivedStream[] = []
    for (let at = 0; at < max; at += 1) {
      // Both prefixes count together.
      const path = at % 2 === 0 ? 'keyval/api' : 'api/keyval'
      const stream = await openStream(`${host.url}/${path}/watch?keys=a`, host.credentials)
      assert.equal(stream.status, 200)
      streams.push(stream)
    }
    test.after(() => {
      for (const stream of streams) stream.close()
    })
    const refusal = { status: 429, code: 'KV_STREAMS_EXHAUSTED', text: /20 streams open/ }
    await kvRefused(host, 'GET', '/watch?keys=a', refusal)
    const answer = await kvSend(host, 'GET', '/queue/listen')
    assert.deepEqual(
      [answer.status, answer.headers['retry-after']],
      [429, String(kvHttpLimits.streamsRetrySeconds)],
    )
    assert.equal((await kvSend(host, 'GET', '/watch/poll?keys=a')).status, 200)
    streams[0]?.close()
    const next = await until('a place is free', async () => {
      const stream = await open(test, host, '/watch?keys=a')
      return stream.status === 200 && stream
    })
    assert.ok(await next.next('reset'))
  })

  it('end with the host, which does not wait for them', async (test) => {
    const host = await startHost(test, { plugins: {} })
    const reading = await open(test, host, '/watch/prefix?prefix=a')
    const listening = await open(test, host, '/queue/listen')
    const stuck = await open(test, host, '/watch/prefix?prefix=b', { isPaused: true })
    await reading.next('reset')
    for (let n = 0; n < 200; n += 1) await put(host, `b/${n}`, 'x'.repeat(60_000))
    const startMs = performance.now()
    await host.close()
    assert.ok(performance.now() - startMs < 5000, 'the host waited for its streams')
    await until('the streams have ended', () => reading.isOver && listening.isOver)
    stuck.close()
  })
})
