import assert from 'node:assert/strict'
import { it } from 'node:test'
import { plugin, startHost } from '../helpers/create-host.js'
import { kvCall, kvRefused, kvSend } from '../helpers/kv-calls.js'
import { parsePrometheusText } from '../helpers/prometheus-text.js'

it('the numbers of the key-value store are those of what was done, wherever they are read', async (test) => {
  const host = await startHost(test, { plugins: {} })
  await kvCall(host, 'PUT', '/keys/a', 1)
  await kvCall(host, 'PUT', '/keys/b', 'text')
  await kvCall(host, 'GET', '/keys/a')
  await kvCall(host, 'POST', '/keys/batch', { keys: [['a'], ['b']] })
  await kvCall(host, 'GET', '/keys')
  await kvCall(host, 'GET', '/keys/count')
  await kvCall(host, 'GET', '/keys/paginate')
  await kvCall(host, 'POST', '/atomic', { mutations: [{ type: 'sum', key: ['a'], value: 1 }] })
  const mismatch = { mutations: [{ type: 'sum', key: ['b'], value: 1 }] }
  await kvRefused(host, 'POST', '/atomic', { status: 400, code: 'KV_TYPE_MISMATCH' }, { json: mismatch })
  for (let n = 0; n < 3; n += 1) {
    await kvCall(host, 'POST', '/queue/enqueue', { value: n, options: { backoffSchedule: [] } })
  }
  const { message } = await kvCall(host, 'GET', '/queue/poll')
  await kvCall(host, 'POST', '/queue/nack', { id: message.id, lease: message.lease })
  await kvCall(host, 'GET', '/queue/poll?lease=60000')

  const json = await kvCall(host, 'GET', '/metrics')
  const counts = Object.fromEntries(
    Object.entries<{ count: number }>(json.operations).map(([name, { count }]) => [name, count]),
  )
  assert.deepEqual(counts, {
    atomic_commit: 2,
    count: 1,
    get: 2,
    list: 1,
    paginate: 1,
    queue_dequeue: 2,
    queue_enqueue: 3,
    queue_nack: 1,
    set: 2,
  })
  assert.equal(json.operations.atomic_commit.errors, 1)
  assert.ok(json.operations.get.avgLatencyMs >= 0)
  assert.deepEqual(json.totals, { operations: 15, errors: 1 })
  assert.deepEqual(json.queue, { pending: 1, processing: 1, dlq: 1, total: 3 })
  assert.equal(json.storage.entries, 2)
  assert.ok(json.storage.sizeBytes > 0)

  const own = await kvSend(host, 'GET', '/metrics/prometheus')
  assert.match(String(own.headers['content-type']), /^text\/plain; version=0\.0\.4/)
  const all = await host.send('GET', '/metrics', { headers: host.credentials })
  for (const page of [own.text, all.text]) {
    const text = parsePrometheusText(page)
    for (const [operation, count] of Object.entries(counts)) {
      assert.equal(text.value('keyval_operations_total', { operation }), count)
      assert.equal(text.value('keyval_operation_duration_ms_count', { operation }), count)
      assert.equal(text.value('keyval_operation_duration_ms_bucket', { operation, le: '+Inf' }), count)
    }
    assert.equal(text.value('keyval_errors_total', { operation: 'atomic_commit' }), 1)
    assert.equal(text.value('keyval_queue_pending'), 1)
    assert.equal(text.value('keyval_queue_processing'), 1)
    assert.equal(text.value('keyval_queue_dlq'), 1)
    assert.equal(text.value('keyval_queue_total'), 3)
    assert.equal(text.value('keyval_entries_total'), 2)
    assert.equal(text.value('keyval_storage_bytes'), json.storage.sizeBytes)
  }
  assert.doesNotMatch(own.text, /^plugin_|^process_/m)
})

it('calls of plugins are counted with the others, in whichever thread they ran', async (test) => {
  const init = `http.handle("GET", "/use", function()
  kv.set({ "a" }, "x")
  kv.get({ "a" })
  kv.get_many({ { "a" }, { "b" } })
  for _ in kv.list() do end
  local refused = kv.atomic():sum({ "a" }, 1):commit()
  return { json = { refused = refused == nil } }
end, { public = true })
`
  const host = await startHost(test, { plugins: { 'user/init.lua': plugin('user', init) } })
  for (let call = 0; call < 6; call += 1) {
    const answer = await host.call('GET', '/user/use')
    assert.deepEqual([answer.status, answer.text], [200, '{"refused":true}'])
  }
  await host.host.kv.namespace('plugin:user').get(['a'])
  const json = (await kvCall(host, 'GET', '/metrics')).operations
  const text = parsePrometheusText((await host.send('GET', '/metrics', { headers: host.credentials })).text)
  for (const [operation, calls] of Object.entries({ get: 13, set: 6, list: 6, atomic_commit: 6 })) {
    assert.equal(json[operation].count, calls, operation)
    assert.equal(text.value('keyval_operations_total', { operation }), calls)
    assert.equal(text.value('keyval_operation_duration_ms_count', { operation }), calls)
    assert.equal(text.value('keyval_errors_total', { operation }) ?? 0, operation === 'atomic_commit' ? 6 : 0)
  }
})

it('there are no numbers where metrics are switched off, and the store works as well; requests beyond keyval.rate_limit are refused', async (test) => {
  const host = await startHost(test, {
    plugins: {},
    config: { 'metrics.enabled': false, 'keyval.rate_limit': 5 },
  })
  assert.equal((await kvCall(host, 'PUT', '/keys/a', 1)).ok, true)
  await kvRefused(host, 'GET', '/metrics', { status: 404, code: 'NOT_FOUND' })
  await kvRefused(host, 'GET', '/metrics/prometheus', { status: 404, code: 'NOT_FOUND' })
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, at) =>
      host.send('GET', at % 2 === 0 ? '/keyval/api/keys' : '/api/keyval/keys', { headers: host.credentials }),
    ),
  )
  const statuses = new Set(answers.map(({ status }) => status))
  assert.deepEqual([...statuses].toSorted(), [200, 429])
  for (const answer of answers.filter(({ status }) => status === 429)) {
    assert.equal(answer.json().code, 'RATE_LIMITED')
    assert.equal(answer.headers['retry-after'], '1')
  }
})
