import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { kvLimits, kvLuaLimits } from '../../../../src/base/limits/kv.js'
import { kvKind } from '../../../../src/capabilities/kv/call-kind.js'
import {
  changeQueueOf,
  changesOf,
  changeToRegistration,
  decodeKvCall,
  decodeKvResult,
  encodeChangeCall,
  encodeMessageCall,
  queuesOf,
} from '../../../../src/capabilities/kv/wire.js'
import { anyQueueName, queueName } from '../../../../src/kv/queue-options.js'
import { SqliteQueueStore } from '../../../../src/kv/sqlite/queue-store.js'
import { KvSession } from '../../../../src/kv/sqlite/session.js'
import { SqliteKvStore } from '../../../../src/kv/sqlite/sqlite-store.js'
import { KvU64 } from '../../../../src/kv/value.js'
import { KvPlugins } from '../../../helpers/kv-plugins.js'

describe('kv: queues', () => {
  it('take messages, and count them', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('shop')
    assert.deepEqual(
      await plugin.json(`
        local sent = assert(kv.enqueue({ to = "ann" }, { queue = "mails", delay = 1000, backoff_schedule = {} }))
        kv.enqueue(1)
        kv.atomic():enqueue(2):enqueue(3, { keys_if_undelivered = { { "failed", 3 } } }):commit()
        return { sent, kv.queue_stats("mails"), kv.queue_stats(), kv.dead_letters() }
      `),
      [
        { ok: true, id: '1' },
        { pending: 1, processing: 0, dead: 0, total: 1 },
        { pending: 4, processing: 0, dead: 0, total: 4 },
        [],
      ],
    )
  })

  it('show dead letters and take them back', async (t) => {
    const plugins = await KvPlugins.create(t)
    const plugin = await plugins.plugin('shop')
    await plugin.run(
      'kv.enqueue({ n = 1, bytes = kv.bytes("\\255") }, { queue = "mails", backoff_schedule = {} })',
    )
    const session = new KvSession(plugins.connection())
    const store = new SqliteKvStore({
      session,
      clock: () => plugins.nowMs,
      namespaceBytesMax: 2 ** 40,
      observers: [],
    })
    const queues = new SqliteQueueStore(session, store)
    const message = queues.dequeue('plugin:shop', 'mails', 1000, plugins.nowMs)
    assert.ok(message)
    assert.ok(queues.nack('plugin:shop', message, 'no route', plugins.nowMs))
    assert.deepEqual(
      await plugin.json(`
        local letter = assert(kv.dead_letters({ queue = "mails", limit = 5, offset = 0 }))[1]
        assert(letter.value.bytes == "\\255" and letter.value.n == 1)
        local id = assert(kv.requeue(letter.id))
        local none, err = kv.requeue(letter.id)
        return { letter.error, letter.attempts, letter.queue, letter.message_id, id ~= letter.message_id, err,
          kv.queue_stats("mails").pending }
      `),
      ['no route', 1, 'mails', '1', true, 'there is no such dead letter', 1],
    )
  })

  it('refuse misuse', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('shop')
    for (const [code, message] of [
      ['kv.enqueue()', /kv\.enqueue: the value is nil/],
      ['kv.enqueue(1, { queue = "$changes-1" })', /is not the name of a queue/],
      ['kv.enqueue(1, { queue = 5 })', /is not the name of a queue/],
      ['kv.enqueue(1, { delay = -1 })', /"delay" is -1/],
      ['kv.enqueue(1, { delay = "1" })', /"delay" is/],
      ['kv.enqueue(1, { backoff_schedule = 5 })', /backoff_schedule must be a list of milliseconds/],
      ['kv.enqueue(1, { backoff_schedule = { "x" } })', /"backoff_schedule\[0\]" is x/],
      ['kv.enqueue(1, { backoffSchedule = {} })', /unknown option "backoffSchedule"/],
      ['kv.enqueue(1, { keys_if_undelivered = { "a" } })', /key 1 must be a list/],
      ['kv.queue_stats(5)', /the queue must be a string/],
      ['kv.queue_stats("No")', /is not the name of a queue/],
      ['kv.dead_letters({ limit = 0 })', /kv\.dead_letters: .*limit/],
      ['kv.requeue(1)', /the id must be a string/],
    ] as const) {
      const text = await plugin.error(code)
      assert.match(text, message, code)
      assert.match(text, /^shop\/test\.lua:1: /, code)
    }
    assert.match(await plugin.failure('return kv.requeue("../1")'), /there is no such dead letter/)
    assert.match(
      await plugin.failure(`return kv.enqueue(("x"):rep(${kvLimits.valueBytesMax}))`),
      /The value takes \d+ bytes/,
    )
  })
})

describe('kv.listen and kv.on_change', () => {
  const init = `
    kv.listen("mails", function(message)
      seen = message
      if message.value == "raise" then error("no") end
      if message.value == "false" then return false end
      if message.value == "nil" then return nil, "later" end
      if message.value == "table" then return { any = true } end
    end, { concurrency = 4 })
    kv.on_change({ "users" }, function(change) seen = change end)
    kv.shared("news").on_change({}, function() end, { events = { "delete" }, concurrency = 2 })
  `

  it('are registered at module scope, with what the host needs to know', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('shop', { init })
    assert.deepEqual(queuesOf(plugin.registrations), [{ key: 'mails', queue: 'mails', concurrency: 4 }])
    assert.deepEqual(changesOf(plugin.registrations), [
      { key: ' ["users"]', shared: undefined, prefix: ['users'], events: ['set', 'delete'], concurrency: 1 },
      { key: 'news []', shared: 'news', prefix: [], events: ['delete'], concurrency: 2 },
    ])
    for (const code of [
      'kv.listen("a", print)',
      'kv.on_change({}, print)',
      'kv.shared("news").on_change({}, print)',
    ]) {
      assert.match(await plugin.error(code), /must be called at module scope/)
    }
  })

  it('have names for the queues of changes that no plugin can send to', () => {
    const { key } = changeToRegistration({
      shared: undefined,
      prefix: ['a'],
      events: ['set'],
      concurrency: 1,
    })
    const other = changeToRegistration({ shared: 'x', prefix: ['a'], events: ['set'], concurrency: 1 })
    assert.equal(anyQueueName(changeQueueOf(key)), changeQueueOf(key))
    assert.throws(() => queueName(changeQueueOf(key)), /is not the name of a queue/)
    assert.notEqual(changeQueueOf(key), changeQueueOf(other.key))
  })

  it('are refused when they come twice, are too many, or are none', async (t) => {
    const plugins = await KvPlugins.create(t)
    const none = 'local function f() end '
    for (const [code, message] of [
      ['kv.listen("a", f) kv.listen("a", f)', /kv\.listen: the queue "a" has a handler already/],
      ['kv.on_change({ 1 }, f) kv.on_change({ 1.0 }, f)', /kv\.on_change: the prefix has a handler already/],
      ['for n = 1, 51 do kv.listen("a" .. n, f) end', /a plugin may have 50 of these handlers/],
      ['for n = 1, 51 do kv.on_change({ n }, f) end', /a plugin may have 50 of these handlers/],
      ['kv.listen("A", f)', /"A" is not the name of a queue/],
      ['kv.listen("$changes-1", f)', /is not the name of a queue/],
      ['kv.listen(nil, f)', /the queue must be a string/],
      ['kv.listen("a")', /bad argument #2 to 'kv\.listen' \(function expected, got no value\)/],
      ['kv.on_change({}, {})', /bad argument #2 to 'kv\.on_change' \(function expected, got table\)/],
      ['kv.on_change(nil, f)', /the prefix is nil/],
      ['kv.on_change("a", f)', /the prefix must be a list/],
      ['kv.listen("a", f, { concurrency = 17 })', /concurrency must be an integer from 1 to 16/],
      ['kv.listen("a", f, { concurrency = 0.5 })', /concurrency must be an integer/],
      ['kv.listen("a", f, { lease = 1 })', /unknown option "lease"/],
      ['kv.on_change({}, f, { events = { "set", "expire" } })', /events must be a list of "set", "delete"/],
      ['kv.on_change({}, f, { events = {} })', /events must be a list/],
    ] as const) {
      const { loaded } = await plugins.load('shop', { init: none + code })
      assert.match(loaded.ok ? 'ok' : loaded.message, message, code)
    }
    assert.equal(kvLuaLimits.changeHandlersMax, 50)
  })

  it('are called with a message, and say whether it is done', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('shop', { init: `seen = false ${init}` })
    const send = async (value: string | KvU64) => {
      const payload = encodeMessageCall('mails', { id: '7', queue: 'mails', value, attempts: 2 })
      const result = await plugin.call(kvKind, payload, { phase: 'message' })
      return result.ok ? (decodeKvResult(result.values) ?? 'done') : result.message
    }
    assert.equal(await send('fine'), 'done')
    assert.equal(await send('table'), 'done')
    assert.equal(await send('false'), 'the handler returned false')
    assert.equal(await send('nil'), 'later')
    assert.match(await send('raise'), /shop\/init\.lua:\d+: no/)
    assert.equal(await send(new KvU64(2n ** 64n - 1n)), 'done')
    assert.deepEqual(
      await plugin.json('return { seen.id, seen.queue, seen.attempts, tostring(seen.value) }'),
      ['7', 'mails', 2, '18446744073709551615'],
    )
    const unknown = await plugin.call(
      kvKind,
      encodeMessageCall('others', { id: '1', queue: 'others', value: 1, attempts: 1 }),
    )
    assert.match(unknown.ok ? '' : unknown.message, /this VM has no kv_queue others/)
  })

  it('are called with a change, whose key has bytes and large integers in it', async (t) => {
    const plugin = await (await KvPlugins.create(t)).plugin('shop', { init: `seen = false ${init}` })
    const key = ['users', new Uint8Array([255, 0]), 2n ** 60n, Number.POSITIVE_INFINITY, true]
    const change = (type: 'set' | 'delete') =>
      encodeChangeCall(' ["users"]', {
        type,
        key,
        value: type === 'set' ? { a: null } : null,
        versionstamp: '0a',
      })
    const payload = change('set')
    assert.equal(decodeKvCall(payload).key, ' ["users"]')
    assert.ok((await plugin.call(kvKind, payload, { phase: 'message' })).ok)
    await plugin.run(`
      assert(seen.type == "set" and seen.versionstamp == "0a" and next(seen.value) == nil)
      assert(seen.key[1] == "users" and tostring(seen.key[2]) == "\\255\\0" and seen.key[3] == 1 << 60)
      assert(seen.key[4] == math.huge and seen.key[5] == true)
      assert(kv.set(seen.key, 1) and kv.get(seen.key).value == 1)
    `)
    assert.ok((await plugin.call(kvKind, change('delete'), { phase: 'message' })).ok)
    assert.deepEqual(await plugin.run('return seen.type, seen.value'), ['delete', undefined])
  })
})
