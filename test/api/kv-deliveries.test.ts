import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { kvLimits } from '../../src/base/limits/kv.js'
import { plugin, type TestHost, useHost } from '../helpers/create-host.js'
import { install } from '../helpers/installed-plugins.js'
import { until } from '../helpers/until.js'

const countOf = async ({ host }: TestHost, name: string, prefix: string) =>
  host.kv.namespace(`plugin:${name}`).count([prefix])

const statsOf = ({ host }: TestHost, name: string, queue?: string) =>
  host.kv.namespace(`plugin:${name}`).queues.stats(queue)

const worker = (name: string) =>
  plugin(
    name,
    `kv.listen("jobs", function(message)
  assert(kv.atomic():sum({ "done", message.value.n }, 1):commit())
end, { concurrency = 4 })
kv.listen("endless", function() while true do end end)
kv.listen("refused", function(message) return nil, "not " .. message.value end)
http.handle("POST", "/jobs", function(req)
  local commit = kv.atomic()
  for n = req.json.from, req.json.to do commit:enqueue({ n = n }, { queue = "jobs" }) end
  assert(commit:commit())
  return { status = 204 }
end, { public = true })
`,
  )

const shared = useHost({ plugins: {}, config: { plugin_max_instructions: 2_000_000 } })

describe('kv.listen', () => {
  it('brings what a request, the application and another plugin’s thread have sent, and says so in the metrics', async (t) => {
    const server = shared()
    await install(t, server, { 'sent/init.lua': worker('sent') })
    const answer = await server.call('POST', '/sent/jobs', { json: { from: 1, to: 50 } })
    assert.equal(answer.status, 204, answer.text)
    const own = server.host.kv.namespace('plugin:sent')
    for (let n = 51; n <= 100; n += 1) await own.queues.enqueue({ n }, { queue: 'jobs' })
    await until('all jobs are done', async () => (await countOf(server, 'sent', 'done')) === 100)
    await until('they are gone', async () => (await statsOf(server, 'sent', 'jobs')).total === 0)
    for await (const { value } of own.list({ prefix: ['done'] })) assert.equal(value, 1)
    const { text } = await server.send('GET', '/metrics', { headers: server.credentials })
    assert.match(text, /plugin_messages_total\{plugin="sent",queue="jobs",status="ok"\} 100/)
    assert.match(text, /plugin_message_lag_seconds_count\{plugin="sent",queue="jobs"\} 100/)
    const details = await server.admin<{ listeners: { queue: string }[] }>('GET', '/sent')
    assert.deepEqual(
      details.listeners.map(({ queue }) => queue),
      ['jobs', 'endless', 'refused'],
    )
  })

  it('ends a function that never ends, gives up its message with the reason, and goes on with the rest', async (t) => {
    const server = shared()
    await install(t, server, { 'ended/init.lua': worker('ended') })
    const { queues } = server.host.kv.namespace('plugin:ended')
    await queues.enqueue('x', { queue: 'endless', backoffSchedule: [1] })
    await queues.enqueue('wanted', { queue: 'refused', backoffSchedule: [] })
    await queues.enqueue({ n: 1 }, { queue: 'jobs' })
    await until('it is given up', async () => (await statsOf(server, 'ended')).dlq === 2)
    const letters = await queues.deadLetters()
    const errorOf = (queue: string) => letters.find((letter) => letter.queue === queue)?.errorMessage ?? ''
    assert.match(errorOf('endless'), /INSTRUCTIONS|TIMEOUT/)
    assert.equal(errorOf('refused'), 'not wanted')
    await until('the job is done', async () => (await countOf(server, 'ended', 'done')) === 1)
    assert.equal((await statsOf(server, 'ended')).pending, 0)
  })

  it('loses nothing through reloads, disabling and a restart, and works off each message once', async (t) => {
    const server = shared()
    await install(t, server, { 'kept/init.lua': worker('kept') })
    const own = server.host.kv.namespace('plugin:kept')
    let sent = 0
    const send = async (count: number) => {
      const commits = Array.from({ length: count }, () => {
        sent += 1
        return own.queues.enqueue({ n: sent }, { queue: 'jobs' })
      })
      await Promise.all(commits)
    }
    for (let round = 0; round < 8; round += 1) {
      await send(50)
      await server.admin('POST', '/kept/reload')
    }
    await server.admin('POST', '/kept/disable')
    await send(50)
    const disabled = await statsOf(server, 'kept', 'jobs')
    assert.equal(disabled.processing, 0)
    assert.ok(disabled.pending >= 50)
    await server.restart()
    assert.deepEqual(await statsOf(server, 'kept', 'jobs'), disabled)
    await server.admin('POST', '/kept/enable')
    await until('all is done', async () => (await statsOf(server, 'kept')).total === 0)
    const done = server.host.kv.namespace('plugin:kept').list({ prefix: ['done'] })
    let count = 0
    for await (const { key, value } of done) {
      assert.equal(value, 1, `${key.join(' ')} was worked off ${value} times`)
      count += 1
    }
    assert.equal(count, sent)
  })
})

const follower = (name: string, body: string) =>
  plugin(name, body, '1.0.0', 'kv_access = { config = { "read" } }')

describe('kv.on_change', () => {
  it('tells of the plugin’s own changes, and of those of a shared namespace while that is approved', async (t) => {
    const body = `kv.on_change({ "users" }, function(change)
  kv.set({ "seen", change.key[2] }, change.type)
end)
kv.shared("config").on_change({}, function(change)
  kv.set({ "shared", change.key[1] }, change.value or json.null)
end)
`
    const server = shared()
    await install(t, server, { 'told/init.lua': follower('told', body) }, { approve: false })
    const own = server.host.kv.namespace('plugin:told')
    const config = server.host.kv.namespace('shared:config')
    await own.set(['users', 1], 'ann')
    await config.set(['before'], 1)
    await until('the own change is told', async () => (await own.get(['seen', 1])).value === 'set')
    const grant = { kv: [{ plugin: 'told', namespace: 'config', access: 'read' }] }
    await server.admin('POST', '/kv/approve', { json: grant })
    await config.set(['during'], 2)
    await until('the shared change is told', async () => (await own.get(['shared', 'during'])).value === 2)
    await server.admin('POST', '/kv/revoke', { json: grant })
    await config.set(['after'], 3)
    await own.delete(['users', 1])
    await until('the delete is told', async () => (await own.get(['seen', 1])).value === 'delete')
    assert.deepEqual(
      [(await own.get(['shared', 'before'])).value, (await own.get(['shared', 'after'])).value],
      [null, null],
    )
    await until('nothing is left', async () => (await own.queues.stats()).total === 0)
  })

  it('comes to an end where a function changes what it follows', async (t) => {
    const body = `kv.on_change({ "loop" }, function(change)
  kv.set({ "loop" }, change.value + 1)
end)
`
    const server = shared()
    await install(t, server, { 'looping/init.lua': follower('looping', body) })
    const own = server.host.kv.namespace('plugin:looping')
    await own.set(['loop'], 0)
    await until('it has ended', async () => {
      const { value } = await own.get(['loop'])
      return value === kvLimits.changeDepthMax && (await own.queues.stats()).total === 0
    })
    await until('it is told', () => server.lines.some(({ msg }) => msg.includes('were not queued')))
  })

  it('keeps to the order of the commits, whoever makes them', async (t) => {
    const body = `kv.on_change({ "n" }, function(change)
  assert(kv.atomic():append({ "order" }, { change.value }):commit())
end)
http.handle("POST", "/set", function(req)
  assert(kv.set({ "n" }, req.json.value))
  return { status = 204 }
end, { public = true })
`
    const server = shared()
    await install(t, server, { 'ordered/init.lua': follower('ordered', body) })
    const own = server.host.kv.namespace('plugin:ordered')
    const writes: string[] = []
    const watching = new AbortController()
    const watched = (async () => {
      for await (const { changes } of own.watch(
        { keys: [['n']] },
        { initial: false, signal: watching.signal },
      )) {
        for (const { value } of changes) writes.push(String(value))
      }
    })()
    const sent: string[] = []
    for (let at = 0; at < 30; at += 1) {
      // One at a time: a call that is given up on a busy machine would be told again, behind later ones.
      await own.set(['n'], `t${at}`)
      const { status } = await server.call('POST', '/ordered/set', { json: { value: `l${at}` } })
      sent.push(`t${at}`, ...(status === 204 ? [`l${at}`] : []))
    }
    await until('all are told', async () => {
      const { value } = await own.get(['order'])
      return Array.isArray(value) && value.length >= sent.length
    })
    await until('all are seen', () => writes.length >= sent.length)
    watching.abort()
    await watched.catch(() => undefined)
    assert.deepEqual((await own.get(['order'])).value, writes)
  })
})
