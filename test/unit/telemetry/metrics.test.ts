import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { metricLimits } from '../../../src/base/limits/telemetry.js'
import { createMetrics } from '../../../src/telemetry/metrics.js'
import type { PluginSnapshot } from '../../../src/telemetry/plugin-gauges.js'
import { parsePrometheusText } from '../../helpers/prometheus-text.js'

// This file runs as dist/test/unit/telemetry/metrics.test.js.
const page = new URL('../../../../docs/reference/metrics.md', import.meta.url)

const snapshot = (plugin: string, changes: Partial<PluginSnapshot> = {}): PluginSnapshot => ({
  plugin,
  state: 'running',
  breakerState: 'closed',
  quarantined: false,
  pool: { state: 'open', vmsTotal: 4, vmsAvailable: 3, callsInFlight: 2 },
  ...changes,
})

test('every observation is a number that a strict reader finds', async () => {
  const metrics = createMetrics()
  metrics.httpAnswered('notes', 'GET', 200, 12)
  metrics.httpAnswered('notes', 'GET', 200, 700)
  metrics.httpAnswered('notes', 'BREW', 418, 1)
  metrics.httpRefused('notes', 'POST', 503, 'CIRCUIT_BREAKER_OPEN')
  metrics.httpRefused(undefined, 'GET', 404, 'ROUTE_NOT_FOUND')
  metrics.httpAborted('notes', 'PUT')
  metrics.pluginFailed('notes', 'HANDLER_ERROR')
  metrics.breakerTripped('notes')
  metrics.reloaded('notes', 'error')
  metrics.budgetKilled('notes', 'TIMEOUT')
  metrics.hardStopped('notes')
  metrics.vmBuilt('notes', 20)
  metrics.vmRetired('notes', 'out of memory')
  metrics.callWaited('notes', 'http', 0.3)
  metrics.executorStarted()
  metrics.executorEnded('hard_stop')
  const hook = { plugin: 'notes', event: 'before_create', table: 'content_data', durationMs: 3 }
  metrics.hookObserved({ ...hook, status: 'ok', when: 'before' })
  metrics.hookObserved({ ...hook, event: 'after_create', status: 'timeout', when: 'after' })
  const outbound = { plugin: 'notes', method: 'GET', domain: 'api.example.com', durationMs: 30 }
  metrics.outboundObserved({ ...outbound, status: 0 })
  const read = parsePrometheusText(await metrics.text())
  const notes = { plugin: 'notes' }
  const ok = { ...notes, method: 'GET', status: '200' }
  assert.equal(read.value('plugin_http_requests_total', ok), 2)
  assert.equal(read.value('plugin_http_duration_seconds_count', ok), 2)
  assert.equal(read.value('plugin_http_duration_seconds_bucket', { ...ok, le: '0.025' }), 1)
  assert.equal(read.value('plugin_http_requests_total', { ...notes, method: 'other', status: '418' }), 1)
  const refused = { ...notes, method: 'POST', status: '503' }
  assert.equal(read.value('plugin_http_requests_total', refused), 1)
  assert.equal(read.value('plugin_http_duration_seconds_count', refused), undefined, 'no plugin took time')
  assert.equal(read.value('plugin_http_refused_total', { ...notes, code: 'CIRCUIT_BREAKER_OPEN' }), 1)
  assert.equal(
    read.value('plugin_http_requests_total', { plugin: '(none)', method: 'GET', status: '404' }),
    1,
  )
  assert.equal(read.value('plugin_http_requests_total', { ...notes, method: 'PUT', status: 'aborted' }), 1)
  assert.equal(read.value('plugin_errors_total', { ...notes, type: 'HANDLER_ERROR' }), 1)
  assert.equal(read.value('plugin_circuit_breaker_trips_total', notes), 1)
  assert.equal(read.value('plugin_reloads_total', { ...notes, status: 'error' }), 1)
  assert.equal(read.value('plugin_budget_kills_total', { ...notes, code: 'TIMEOUT' }), 1)
  assert.equal(read.value('plugin_hard_stops_total', notes), 1)
  assert.equal(read.value('plugin_vm_build_seconds_sum', notes), 0.02)
  assert.equal(read.value('plugin_vm_retirements_total', { ...notes, reason: 'out_of_memory' }), 1)
  assert.equal(read.value('plugin_call_wait_seconds_bucket', { ...notes, kind: 'http', le: '0.0005' }), 1)
  assert.equal(read.value('plugin_executor_starts_total'), 1)
  assert.equal(read.value('plugin_executor_ends_total', { cause: 'hard_stop' }), 1)
  const before = { ...notes, event: 'before_create', table: 'content_data', status: 'ok' }
  assert.equal(read.value('plugin_hook_before_total', before), 1)
  assert.equal(read.value('plugin_hook_after_total', before), undefined)
  assert.equal(read.value('plugin_hook_duration_seconds_count', before), 1)
  const after = { ...before, event: 'after_create', status: 'timeout' }
  assert.equal(read.value('plugin_hook_after_total', after), 1)
  const sent = { ...notes, method: 'GET', domain: 'api.example.com', status: '0' }
  assert.equal(read.value('plugin_outbound_requests_total', sent), 1)
  assert.equal(read.value('plugin_outbound_duration_seconds_count', sent), 1)
  assert.ok(read.samples('nodejs_eventloop_lag_seconds').length === 1)
  assert.ok((read.value('process_cpu_seconds_total') ?? 0) > 0)
})

test('the gauges show the plugins as they are, and the series of those that are gone leave', async () => {
  const metrics = createMetrics()
  let plugins = [
    snapshot('a'),
    snapshot('b', { state: 'failed', breakerState: 'open', quarantined: true, pool: undefined }),
  ]
  metrics.follow(() => plugins)
  metrics.httpAnswered('a', 'GET', 200, 1)
  metrics.httpAnswered('b', 'GET', 200, 1)
  const first = parsePrometheusText(await metrics.text())
  assert.equal(first.value('plugin_vms_available', { plugin: 'a' }), 3)
  assert.equal(first.value('plugin_vms', { plugin: 'a' }), 4)
  assert.equal(first.value('plugin_calls_in_flight', { plugin: 'a' }), 2)
  assert.equal(first.value('plugin_pool_state', { plugin: 'a', state: 'open' }), 1)
  assert.equal(first.value('plugin_quarantined', { plugin: 'b' }), 1)
  assert.equal(first.value('plugin_circuit_breaker_state', { plugin: 'b', state: 'open' }), 1)
  assert.equal(first.value('plugin_state', { plugin: 'b', state: 'failed' }), 1)
  assert.equal(first.samples('plugin_vms').length, 1)
  plugins = [snapshot('a', { breakerState: 'half-open' })]
  metrics.httpAnswered('a', 'GET', 200, 1)
  metrics.httpAnswered('b', 'GET', 200, 1)
  const second = parsePrometheusText(await metrics.text())
  assert.equal(second.samples('plugin_circuit_breaker_state').length, 1)
  assert.deepEqual(
    second.samples('plugin_http_requests_total').map(({ labels, value }) => [labels.plugin, value]),
    [['a', 2]],
  )
  metrics.httpAnswered('b', 'GET', 200, 1)
  plugins = [...plugins, snapshot('b')]
  const third = parsePrometheusText(await metrics.text())
  const ok = { plugin: 'b', method: 'GET', status: '200' }
  assert.equal(third.value('plugin_http_requests_total', ok), 1, 'one that is back starts anew')
})

test('whatever callers and plugins make up, the number of series is bounded', async () => {
  const metrics = createMetrics()
  for (let index = 0; index < 1000; index += 1) {
    metrics.httpRefused(undefined, `METHOD${index}`, 404, 'ROUTE_NOT_FOUND')
    metrics.httpAnswered('notes', `METHOD${index}`, 100 + (index % 500), 1)
    metrics.httpAnswered('notes', 'GET', 100 + (index % 500), 1)
    metrics.pluginFailed('notes', `TYPE${index}`)
    const hook = { plugin: 'notes', event: 'before_create', status: 'ok', durationMs: 1 }
    metrics.hookObserved({ ...hook, table: `t${index}`, when: 'before' })
    metrics.outboundObserved({
      plugin: 'notes',
      method: 'GET',
      domain: `d${index}`,
      status: 1,
      durationMs: 1,
    })
  }
  const read = parsePrometheusText(await metrics.text())
  for (const name of ['plugin_http_requests_total', 'plugin_errors_total', 'plugin_hook_before_total']) {
    const samples = read.samples(name)
    assert.ok(samples.length <= metricLimits.seriesPerPluginMax + 2, `${name}: ${samples.length}`)
    assert.ok(samples.reduce((sum, { value }) => sum + value, 0) >= 1000, `${name} lost some`)
  }
  assert.ok(
    read.samples('plugin_outbound_duration_seconds_count').length <= metricLimits.seriesPerPluginMax + 1,
  )
})

test('labels with quotes, line feeds and backslashes stay one label', async () => {
  const metrics = createMetrics()
  const type = 'a"} 1\nforged_total{x="\\'
  metrics.pluginFailed('notes', type)
  const read = parsePrometheusText(await metrics.text())
  assert.equal(read.value('plugin_errors_total', { plugin: 'notes', type }), 1)
  assert.equal(read.metrics.has('forged_total'), false)
})

test('JSON has the same numbers', async () => {
  const metrics = createMetrics()
  metrics.httpAnswered('notes', 'GET', 200, 12)
  const json = await metrics.json()
  const requests = json.find(({ name }) => name === 'plugin_http_requests_total')
  const labels = { plugin: 'notes', method: 'GET', status: '200' }
  assert.deepEqual(requests?.samples, [{ labels, value: 1 }])
  const duration = json.find(({ name }) => name === 'plugin_http_duration_seconds')
  assert.equal(duration?.bounds?.length, 13)
  assert.deepEqual(duration?.samples[0]?.counts, [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1])
  assert.equal(duration?.samples[0]?.value, 1)
  assert.equal(duration?.samples[0]?.sum, 0.012)
  const text = parsePrometheusText(await metrics.text())
  assert.deepEqual(
    json.map(({ name }) => name),
    [...text.metrics.keys()],
  )
  assert.deepEqual(JSON.parse(JSON.stringify(json)), json, 'nothing that JSON cannot say')
})

test('readers that come together share one reading', async () => {
  const metrics = createMetrics()
  let looks = 0
  metrics.follow(() => {
    looks += 1
    return []
  })
  const texts = await Promise.all([metrics.text(), metrics.text(), metrics.text()])
  assert.equal(looks, 1)
  assert.equal(texts[0], texts[2])
  await metrics.text()
  assert.equal(looks, 2)
})

test('the reference page lists exactly the metrics that there are', async () => {
  const { metrics } = parsePrometheusText(await createMetrics().text())
  const text = await readFile(page, 'utf8')
  const documented = [...text.matchAll(/^\| `((?:plugin|keyval|server|gateway|host)_\w+)`/gm)].map(
    ([, name]) => name,
  )
  const own = [...metrics.keys()].filter((name) => !/^(?:process|nodejs)_/.test(name))
  assert.deepEqual(own.toSorted(), documented.toSorted())
  const seeds = ['requests', 'duration_ms'].flatMap((end) => [`plugin.http.${end}`])
  seeds.push('plugin.hook.before', 'plugin.hook.after', 'plugin.hook.duration_ms', 'plugin.errors')
  seeds.push('plugin.circuit_breaker.trip', 'plugin.reload', 'plugin.vm.available')
  for (const seed of seeds) assert.ok(text.includes(`\`${seed}\``), seed)
})

test('calls of the key-value store are counted by operation, and what it holds is asked at each reading', async () => {
  const metrics = createMetrics()
  metrics.kvObserved({ operation: 'get', ms: 3, ok: true })
  metrics.kvObserved({ operation: 'get', ms: 7000, ok: false })
  metrics.kvObserved({ operation: 'set', ms: 1, ok: true })
  let pending = 0
  const totals = async () => {
    pending += 1
    if (pending === 3) throw new Error('the store is closed')
    return { pending, processing: 2, dlq: 3, entries: 4, bytes: 5 }
  }
  metrics.followKv(totals, () => [])
  const page = await metrics.kvText()
  const text = parsePrometheusText(page)
  assert.equal(text.value('keyval_operations_total', { operation: 'get' }), 2)
  assert.equal(text.value('keyval_errors_total', { operation: 'get' }), 1)
  assert.equal(text.value('keyval_errors_total', { operation: 'set' }), 0)
  assert.equal(text.value('keyval_operation_duration_ms_bucket', { operation: 'get', le: '1' }), 0)
  assert.equal(text.value('keyval_operation_duration_ms_bucket', { operation: 'get', le: '5' }), 1)
  assert.equal(text.value('keyval_operation_duration_ms_bucket', { operation: 'get', le: '5000' }), 1)
  assert.equal(text.value('keyval_operation_duration_ms_bucket', { operation: 'get', le: '+Inf' }), 2)
  assert.equal(text.value('keyval_operation_duration_ms_bucket', { operation: 'set', le: '1' }), 1)
  assert.equal(text.value('keyval_queue_total'), 6)
  assert.doesNotMatch(page, /^plugin_/m)
  assert.deepEqual(metrics.kvOperations(), {
    get: { count: 2, errors: 1, avgLatencyMs: 3501.5 },
    set: { count: 1, errors: 0, avgLatencyMs: 1 },
  })
  assert.equal(parsePrometheusText(await metrics.text()).value('keyval_queue_pending'), 2)
  // A store that cannot be counted keeps the page from nothing.
  assert.equal(parsePrometheusText(await metrics.text()).value('keyval_queue_pending'), 2)
})
