import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Kv as Client, KvU64 } from '../../sdk/client/index.js'
import type { Kv, KvBatch, KvMessage } from '../../src/host.js'
import { startHost, type TestHost, useHost } from '../helpers/create-host.js'
import { openStream } from '../helpers/event-stream.js'
import { type KvAnswer, kvCall, kvSend } from '../helpers/kv-calls.js'
import { until } from '../helpers/until.js'

const config = { 'keyval.sweep_interval': '50ms' }
const put = (host: TestHost, path: string, value: unknown) => kvCall(host, 'PUT', `/keys/${path}`, value)

/** The next message, as soon as there is one. */
async function take(kv: Kv, lease: number): Promise<KvMessage> {
  const message = await kv.queues.next({ lease, signal: AbortSignal.timeout(20_000) })
  assert.ok(message)
  return message
}

const server = useHost({ plugins: {}, config })

describe('messages', () => {
  it('that were out when the server stopped come again by themselves', async (test) => {
    const host = server()
    const { id } = await kvCall(host, 'POST', '/queue/enqueue', { value: 'stuck' })
    const { message } = await kvCall(host, 'GET', '/queue/poll?lease=50')
    assert.equal(message.id, id)
    await host.restart()
    const stream = await openStream(`${host.url}/keyval/api/queue/listen?lease=60000`, host.credentials)
    test.after(() => stream.close())
    const again = JSON.parse(String((await stream.next('message'))?.data))
    assert.deepEqual([again.id, again.value, again.attempts], [id, 'stuck', 2])
  })

  it('that are sent again from the dead keep their tries and the keys for when they fail', async () => {
    const kv = server().host.kv.namespace('requeued')
    await kv.queues.enqueue('v', { backoffSchedule: [1], keysIfUndelivered: [['failed', 1]] })
    for (const round of [1, 2]) {
      for (const attempts of [1, 2]) {
        const message = await take(kv, 60_000)
        assert.equal(message.attempts, attempts)
        assert.equal(await kv.queues.nack(message, `round ${round}`), true)
      }
      const [letter, ...others] = await kv.queues.deadLetters()
      assert.ok(letter)
      assert.deepEqual([letter.errorMessage, letter.attempts, others], [`round ${round}`, 2, []])
      assert.equal((await kv.get(['failed', 1])).value, 'v')
      if (round === 2) break
      await kv.delete(['failed', 1])
      assert.ok(await kv.queues.requeue(letter.id))
    }
  })

  it('are not touched by the late answers of somebody whose lease has ended', async () => {
    const kv = server().host.kv.namespace('late')
    await kv.queues.enqueue('v')
    const late = await take(kv, 1)
    const holder = await take(kv, 60_000)
    assert.deepEqual([holder.id, holder.attempts], [late.id, 2])
    assert.deepEqual(
      [await kv.queues.ack(late), await kv.queues.nack(late), await kv.queues.extend(late, 1)],
      [false, false, false],
    )
    assert.deepEqual(await kv.queues.stats(), { pending: 0, processing: 1, dlq: 0, total: 1 })
    assert.equal(await kv.queues.ack(holder), true)
    assert.deepEqual(await kv.queues.stats(), { pending: 0, processing: 0, dlq: 0, total: 0 })
  })

  it('whose consumers never answer end as dead letters after their last try', async () => {
    const kv = server().host.kv.namespace('crashing')
    await kv.queues.enqueue('poison', { backoffSchedule: [1, 1], keysIfUndelivered: [['poison']] })
    for (const attempts of [1, 2, 3]) assert.equal((await take(kv, 1)).attempts, attempts)
    await until('it is dead', async () => {
      assert.equal(await kv.queues.dequeue(), undefined)
      return (await kv.queues.stats()).dlq === 1
    })
    const [letter] = await kv.queues.deadLetters()
    assert.deepEqual([letter?.value, letter?.attempts], ['poison', 3])
    assert.equal((await kv.get(['poison'])).value, 'poison')
  })
})

describe('a search', () => {
  it('finds what was written before its index, by commits, and after a restart at once', async () => {
    const host = server()
    await put(host, 'notes/before', { text: 'a walnut' })
    await kvCall(host, 'POST', '/indexes', { prefix: ['notes'], options: { fields: ['text'] } })
    await until('the index is complete', async () => (await kvCall(host, 'GET', '/indexes'))[0].isComplete)
    const set = (name: string) => ({
      type: 'set',
      key: ['notes', name],
      value: { text: 'two walnuts: a walnut' },
    })
    await kvCall(host, 'POST', '/atomic', { mutations: [set('commit'), set('gone')] })
    await kvCall(host, 'POST', '/atomic', { mutations: [{ type: 'delete', key: ['notes', 'gone'] }] })
    await put(host, 'notes/deep/1', { text: 'walnut' })
    await put(host, 'notes/deep/2', { text: 'walnut' })
    assert.deepEqual(await found(), ['before', 'commit', 'deep', 'deep'])
    await kvCall(host, 'DELETE', '/keys/notes/deep', { exact: false })
    assert.deepEqual(await found(), ['before', 'commit'])
    await host.restart()
    assert.deepEqual(await found(), ['before', 'commit'])

    async function found(): Promise<string[]> {
      const hits = await kvCall(host, 'GET', '/search?prefix=notes&query=walnut')
      return hits.map(({ key }: KvAnswer) => key[1]).toSorted()
    }
  })

  it('gives as many as asked for, of those that fit the filter and have not expired', async (test) => {
    // A long interval keeps what has expired in the file.
    const host = await startHost(test, { plugins: {}, config: { 'keyval.sweep_interval': '1h' } })
    const kv = host.host.kv.namespace('filtered')
    await kv.search.createIndex(['d'], { fields: ['t'] })
    const commit = kv.atomic()
    for (let n = 0; n < 60; n += 1) commit.set(['d', n], { t: 'word', n }, n < 20 ? { expiresIn: 1 } : {})
    await commit.commit()
    await until('they have expired', async () => (await kv.get(['d', 19])).value === null)
    const hits = await kv.search.search(['d'], 'word', { limit: 5, where: { n: { $gte: 55 } } })
    assert.deepEqual(
      hits.map(({ key }) => key[1] as number).toSorted((a, b) => a - b),
      [55, 56, 57, 58, 59],
    )
    assert.equal((await kv.search.search(['d'], 'word', { limit: 40 })).length, 40)
    assert.equal((await kv.search.search(['d'], 'word')).length, 40)
  })
})

describe('a watch', () => {
  it('tells every entry that a delete removed and every one that expired, and nothing else', async () => {
    const kv = server().host.kv.namespace('told')
    const bytes = new Uint8Array([1, 2])
    await kv.atomic().set([bytes, 1], 1).set([bytes, 2], 2).set([bytes, 'x', true], 3).commit()
    const watch = kv.watch({ prefix: [bytes] }, { initial: false })[Symbol.asyncIterator]()
    const next = watch.next()
    await kv.delete([bytes, 'none'])
    await kv.delete([bytes, 'none'], { exact: false })
    await kv.delete([bytes], { exact: false })
    const batches = [((await next) as { value: KvBatch }).value]
    await kv.set([bytes, 'brief'], 4, { expiresIn: 20 })
    while (batches.flatMap(({ changes }) => changes).length < 5) {
      batches.push(((await watch.next()) as { value: KvBatch }).value)
    }
    await watch.return?.()
    const told = batches.flatMap(({ changes }) => changes)
    assert.deepEqual(
      told.map(({ type, key }) => [type, ...key.slice(1)]),
      [
        ['delete', 'x', true],
        ['delete', 1],
        ['delete', 2],
        ['set', 'brief'],
        ['delete', 'brief'],
      ],
    )
    for (const { versionstamp } of told) assert.match(versionstamp, /./)
  })

  it('without a beginning is silent until something changes, and tells both of two quick changes', async (test) => {
    const host = server()
    await put(host, 'quiet/a', 1)
    const paths = ['/watch?keys=quiet/a&initial=false', '/watch/prefix?prefix=quiet&initial=false']
    const streams = await Promise.all(
      paths.map((path) => openStream(`${host.url}/keyval/api${path}`, host.credentials)),
    )
    for (const stream of streams) test.after(() => stream.close())
    await until('both have begun', () => streams.every(({ events }) => events.length > 0))
    // The life of an entry elsewhere is the time in which nothing comes.
    await kvCall(host, 'PUT', '/keys/clock?expiresIn=500', 1)
    await until('time has passed', async () => (await kvSend(host, 'GET', '/keys/clock')).status === 404)
    for (const { events } of streams)
      assert.equal(events.filter(({ event }) => event !== 'message').length, 1)
    await Promise.all([put(host, 'quiet/a', 2), kvCall(host, 'DELETE', '/keys/quiet/a')])
    for (const stream of streams) {
      const types: string[] = []
      while (types.length < 2) {
        const event = await stream.next('change', 'reset')
        assert.equal(event?.event, 'change')
        types.push(...JSON.parse(String(event?.data)).map(({ type }: KvAnswer) => type))
      }
      assert.deepEqual(types.toSorted(), ['delete', 'set'])
    }
  })

  it('of many entries gives no entry as deleted because others sort before it', async (test) => {
    const host = server()
    const mutations = Array.from({ length: 300 }, (_, n) => ({
      type: 'set',
      key: ['many', 1000 + n],
      value: n,
    }))
    await kvCall(host, 'POST', '/atomic', { mutations })
    const stream = await openStream(`${host.url}/keyval/api/watch/prefix?prefix=many`, host.credentials)
    test.after(() => stream.close())
    const seen = new Set<string>()
    while (seen.size < 300) {
      const { entries } = JSON.parse(String((await stream.next('reset'))?.data))
      for (const { key } of entries) seen.add(JSON.stringify(key))
    }
    const keys = [1, 'a/b', '1', 'a:b,c', true].map((part) => ['many', 1, part])
    const first = await kvCall(host, 'GET', '/watch/prefix/poll?prefix=many')
    for (const key of keys) await kvCall(host, 'PUT', `/keys/${encodeURIComponent(JSON.stringify(key))}`, 1)
    const poll = await kvCall(host, 'GET', `/watch/prefix/poll?prefix=many&since=${first.versionstamp}`)
    const changes: KvAnswer[] = []
    while (changes.length < keys.length)
      changes.push(...JSON.parse(String((await stream.next('change'))?.data)))
    for (const told of [changes, poll.entries]) {
      assert.deepEqual(
        told.map(({ type, key }: KvAnswer) => [type, key]),
        keys.map((key) => ['set', key]),
      )
    }
  })
})

describe('the client and a real server agree', () => {
  const client = () => new Client(server().url, { token: server().host.adminToken.token, namespace: 'sdk' })

  it('on keys, values and times', async () => {
    const kv = client()
    const bytes = new Uint8Array([0, 255])
    for (const part of ['42', 42, 42n, true, bytes]) await kv.set(['k', part], part)
    const { entries } = await kv.paginate({ prefix: ['k'] })
    assert.deepEqual(
      entries.map(({ key, value }) => [key[1], value]),
      [bytes, '42', 42, 42n, true].map((part) => [part, part]),
    )
    await kv.set(['v'], { big: 2n ** 70n, count: new KvU64(7n) })
    assert.deepEqual((await kv.get(['v'])).value, { big: 2n ** 70n, count: new KvU64(7n) })
    await kv.set(['time'], { now: kv.now(), later: kv.now().add('1h') })
    const { now, later } = (await kv.get(['time'])).value as { now: number; later: number }
    assert.ok(Math.abs(later - now - 3_600_000) < 1000)
    await assert.rejects(kv.set([], 1))
    await assert.rejects(kv.atomic().set(['v'], 1).sum(['time'], 1).commit(), { code: 'KV_TYPE_MISMATCH' })
    assert.deepEqual((await kv.get(['missing'])).versionstamp, null)
  })

  it('on prefixes to watch, indexes, filters of a search, and messages that are sent again', async (test) => {
    const kv = client()
    const told: unknown[] = []
    const watch = kv.watch({ prefix: ['w'] }, (changes) => {
      told.push(...changes.map(({ key }) => key))
    })
    test.after(() => watch.stop())
    await kv.set(['w', 1, '1'], 1)
    await until('the change has come', () => told.length > 0)
    assert.deepEqual(told[0], ['w', 1, '1'])

    await kv.search.createIndex(['s'], { fields: ['t'], tokenize: 'porter' })
    assert.deepEqual((await kv.search.indexes())[0]?.fields, ['t'])
    await kv.set(['s', 1], { t: 'hello', n: 1 })
    await kv.set(['s', 2], { t: 'hello', n: 2 })
    const hits = await kv.search.search(['s'], 'hello', { where: { n: 2 } })
    assert.deepEqual(
      hits.map(({ key }) => key),
      [['s', 2]],
    )

    const nacks = (await kv.metrics()).operations.queue_nack?.count ?? 0
    await kv.queues.enqueue('m', { backoffSchedule: [] })
    const message = await kv.queues.dequeue()
    assert.ok(message)
    await kv.queues.nack(message)
    const [letter] = await kv.queues.deadLetters()
    const again = await kv.queues.requeue(String(letter?.id))
    assert.equal((await kv.queues.dequeue())?.id, again?.newId)

    const { operations } = await kv.metrics()
    assert.equal(operations.queue_nack?.count, nacks + 1)
    assert.match(await kv.metrics('prometheus'), /^keyval_operations_total\{/m)
    const stranger = new Client(server().url, { token: 'wrong' })
    await assert.rejects(stranger.get(['k']), { code: 'UNAUTHORIZED', status: 401 })
  })
})
