import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { metricsPrefixes } from '../../src/admin/metrics-operations.js'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'
import { install } from '../helpers/installed-plugins.js'
import { type PrometheusText, parsePrometheusText } from '../helpers/prometheus-text.js'
import { until } from '../helpers/until.js'

const source = (name: string) => ({
  [`${name}/init.lua`]: plugin(
    name,
    `
local public = { public = true }
http.handle("GET", "/ok", function() return { json = { ok = true } } end, public)
http.handle("POST", "/made", function() return { status = 201 } end, public)
http.handle("PUT", "/odd", function() return { status = 422, json = {} } end, public)
http.handle("GET", "/status/{code}", function(req) return { status = tonumber(req.params.code) } end, public)
http.handle("GET", "/raise", function() error("no") end, public)
http.handle("GET", "/spin", function() while true do end end, public)
http.handle("GET", "/guarded", function() return {} end)
`,
  ),
})
const plugins = source('worker')
/** So that it is the time that ends a loop. */
const longLoops = { plugin_timeout: 1, plugin_max_instructions: 1_000_000_000_000 }
const base = { plugin: 'worker' }

async function read(server: TestHost): Promise<PrometheusText> {
  const answer = await server.send('GET', '/metrics', { headers: server.credentials })
  assert.equal(answer.status, 200, answer.text)
  assert.match(String(answer.headers['content-type']), /^text\/plain; version=0\.0\.4/)
  return parsePrometheusText(answer.text)
}

const requests = (text: PrometheusText, method: string, status: number | string, of = 'worker') =>
  text.value('plugin_http_requests_total', { plugin: of, method, status: String(status) })

describe('metrics of a server that serves', () => {
  const server = useHost({
    plugins,
    config: { ...longLoops, plugin_max_failures: 1000, plugin_max_request_body: 100 },
  })

  it('count every outcome under the status that was really answered', async () => {
    const host = server()
    const sent = [
      ['GET', '/worker/ok', 200],
      ['GET', '/worker/ok', 200],
      ['POST', '/worker/made', 201],
      ['PUT', '/worker/odd', 422],
      ['GET', '/worker/raise', 500],
      ['GET', '/worker/spin', 504],
      ['GET', '/worker/guarded', 401],
      ['GET', '/worker/nothing', 404],
      ['GET', '/nobody/x', 404],
    ] as const
    for (const [method, path, status] of sent) {
      assert.equal((await host.call(method, path)).status, status, path)
    }
    assert.equal((await host.call('POST', '/worker/made', { body: 'x'.repeat(101) })).status, 413)
    const text = await read(host)
    assert.equal(requests(text, 'GET', 200), 2)
    assert.equal(requests(text, 'POST', 201), 1)
    assert.equal(requests(text, 'PUT', 422), 1)
    assert.equal(requests(text, 'GET', 500), 1)
    assert.equal(requests(text, 'GET', 504), 1)
    assert.equal(requests(text, 'GET', 401), 1)
    assert.equal(requests(text, 'GET', 404), 1)
    assert.equal(requests(text, 'POST', 413), 1)
    assert.equal(requests(text, 'GET', 404, '(none)'), 1)
    const timed = text.samples('plugin_http_duration_seconds_count').map(({ labels }) => labels.status)
    assert.deepEqual(timed.toSorted(), ['200', '201', '422', '500', '504'])
    const slow = { ...base, method: 'GET', status: '504' }
    assert.ok((text.value('plugin_http_duration_seconds_sum', slow) ?? 0) >= 0.9)
    assert.equal(text.value('plugin_errors_total', { ...base, type: 'HANDLER_ERROR' }), 1)
    assert.equal(text.value('plugin_errors_total', { ...base, type: 'HANDLER_TIMEOUT' }), 1)
    assert.equal(text.value('plugin_http_refused_total', { ...base, code: 'UNAUTHORIZED' }), 1)
    assert.equal(text.value('plugin_http_refused_total', { ...base, code: 'INVALID_REQUEST' }), 1)
    assert.equal(text.value('plugin_budget_kills_total', { ...base, code: 'TIMEOUT' }), 1)
    assert.equal(text.value('plugin_vm_retirements_total', { ...base, reason: 'timeout' }), 1)
    assert.ok((text.value('plugin_vm_build_seconds_count', base) ?? 0) >= 1)
    assert.ok((text.value('plugin_executor_starts_total') ?? 0) >= 2)
    const waited = text.value('plugin_call_wait_seconds_count', { ...base, kind: 'http' })
    assert.equal(waited, 6, 'each call that ran has waited once')
    const wait = text.value('plugin_call_wait_seconds_sum', { ...base, kind: 'http' }) ?? 0
    assert.ok(wait > 0 && wait < 6, `the waits together are no time of running: ${wait}`)
    assert.equal(text.value('plugin_state', { ...base, state: 'running' }), 1)
    assert.equal(text.value('plugin_pool_state', { ...base, state: 'open' }), 1)
    assert.equal(text.value('plugin_calls_in_flight', base), 0)
    assert.equal(text.value('plugin_quarantined', base), 0)
  })

  it('grow by nothing, whatever paths, methods and names of plugins callers make up', async () => {
    const host = server()
    const attack = async (round: number): Promise<void> => {
      const word = randomBytes(6).toString('hex')
      const method = ['PROPFIND', 'MKCOL', 'REPORT', 'DELETE', 'GET'][round % 5] ?? 'GET'
      await host.call(method, `/worker/${word}?${word}`)
      await host.call(method, `/${word}/${word}`)
    }
    for (let round = 0; round < 5; round += 1) await attack(round)
    const seriesBefore = (await read(host)).metrics
    const countOf = (metrics: PrometheusText['metrics']) =>
      [...metrics.values()]
        .filter(({ name }) => name.startsWith('plugin_'))
        .reduce((sum, { samples }) => sum + samples.length, 0)
    for (let round = 0; round < 500; round += 10) {
      await Promise.all(Array.from({ length: 10 }, (_unused, index) => attack(round + index)))
    }
    const after = await read(host)
    assert.equal(countOf(after.metrics), countOf(seriesBefore))
    assert.equal(requests(after, 'other', 404, '(none)'), 303)
  })

  it('count a request whose sender goes away in the middle of its body', async () => {
    const host = server()
    const { port } = new URL(host.url)
    const socket = connect(Number(port), '127.0.0.1')
    const head = 'POST /api/v1/plugins/worker/made HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n'
    socket.write(`${head}Expect: 100-continue\r\n\r\n`)
    // The server says that it waits for the body.
    await once(socket, 'data')
    socket.write('half')
    socket.destroy()
    await until('the request is counted', async () => requests(await read(host), 'POST', 'aborted') === 1)
  })

  it('are bounded when a plugin answers with every status there is', async () => {
    const host = server()
    for (let status = 200; status < 600; status += 1) await host.call('GET', `/worker/status/${status}`)
    const text = await read(host)
    const own = text.samples('plugin_http_requests_total').filter(({ labels }) => labels.plugin === 'worker')
    assert.ok(own.length <= 101, String(own.length))
    assert.ok((requests(text, 'other', 'other') ?? 0) > 200)
  })

  it('are JSON for admins, and nothing for others', async () => {
    const host = server()
    for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
      const refused = await host.send('GET', '/metrics', { headers })
      assert.deepEqual([refused.status, refused.code], [401, 'UNAUTHORIZED'])
    }
    const answer = await host.send('GET', '/api/v1/admin/metrics', { headers: host.credentials })
    const { metrics } = answer.json<{ metrics: { name: string; samples: { value: number }[] }[] }>()
    assert.ok(metrics.some(({ name }) => name === 'plugin_http_requests_total'))
    assert.ok(metrics.some(({ name }) => name === 'nodejs_eventloop_lag_p99_seconds'))
    assert.equal((await host.send('GET', '/api/v1/admin/metrics')).status, 401)
  })
})

describe('who may read the metrics', () => {
  const loopback = { host: '127.0.0.1:8080' }
  const cases = [
    ['local', {}, 200],
    ['local', loopback, 200],
    ['local', { host: 'localhost' }, 200],
    ['local', { host: 'metrics.attacker.example' }, 401],
    ['local', { ...loopback, 'x-forwarded-for': '203.0.113.9' }, 401],
    ['local', { ...loopback, forwarded: 'for=203.0.113.9' }, 401],
    ['public', { host: 'www.example.com', 'x-forwarded-for': '203.0.113.9' }, 200],
  ] as const
  for (const access of ['local', 'public'] as const) {
    it(`with access "${access}"`, async (test) => {
      const host = await startHost(test, { plugins: {}, config: { 'metrics.access': access } })
      for (const [of, headers, status] of cases) {
        if (of !== access) continue
        const answer = await host.send('GET', '/metrics', { headers })
        assert.equal(answer.status, status, JSON.stringify(headers))
        if (status === 401) assert.equal(answer.code, 'UNAUTHORIZED')
      }
      assert.equal((await host.send('GET', '/metrics', { headers: host.credentials })).status, 200)
    })
  }

  it('nobody where they are switched off, and plugins serve all the same', async (test) => {
    const host = await startHost(test, { plugins, config: { 'metrics.enabled': false } })
    assert.equal((await host.call('GET', '/worker/ok')).status, 200)
    const figures = metricsPrefixes.map((prefix) => `${prefix}/stats`)
    for (const path of ['/metrics', '/api/v1/admin/metrics', ...figures]) {
      assert.equal((await host.send('GET', path, { headers: host.credentials })).status, 404)
    }
  })
})

interface Details {
  readonly circuit_breaker_state: string
  readonly circuit_breaker_errors: number
  readonly circuit_breaker_retry_after?: number
  readonly circuit_breaker_trips: number
  readonly circuit_breaker_last_trip?: string
  readonly pool_state?: string
  readonly calls_in_flight: number
  readonly budget_kills: Readonly<Record<string, number>>
  readonly last_error?: { readonly type: string; readonly at: string }
}

describe('the breaker and the pool of a plugin', () => {
  const server = useHost({ plugins: {}, config: { ...longLoops, plugin_max_failures: 2 } })

  it('show why calls are refused; an admin closes the breaker without loading anything', async (test) => {
    const host = server()
    const of = { plugin: 'failing' }
    await install(test, host, source('failing'))
    const details = () => host.admin<Details & { generation: number }>('GET', '/failing')
    const first = await details()
    assert.equal(first.circuit_breaker_trips, 0)
    assert.equal(first.circuit_breaker_last_trip, undefined)
    assert.equal(first.last_error, undefined)
    for (let count = 0; count < 2; count += 1) await host.call('GET', '/failing/raise')
    assert.equal((await host.call('GET', '/failing/ok')).code, 'CIRCUIT_BREAKER_OPEN')
    const open = await details()
    assert.equal(open.circuit_breaker_state, 'open')
    assert.equal(open.circuit_breaker_errors, 2)
    assert.ok((open.circuit_breaker_retry_after ?? 0) > 0)
    assert.equal(open.circuit_breaker_trips, 1)
    assert.ok(Date.parse(open.circuit_breaker_last_trip ?? '') > 0)
    assert.equal(open.last_error?.type, 'HANDLER_ERROR')
    const text = await read(host)
    assert.equal(text.value('plugin_circuit_breaker_state', { ...of, state: 'open' }), 1)
    assert.equal(text.value('plugin_circuit_breaker_trips_total', of), 1)
    assert.equal(requests(text, 'GET', 503, 'failing'), 1)
    const answer = await host.admin('POST', '/failing/breaker/reset')
    assert.deepEqual(answer, { ok: true, plugin: 'failing', circuit_breaker_state: 'closed' })
    assert.equal((await host.call('GET', '/failing/ok')).status, 200)
    const closed = await details()
    assert.equal(closed.circuit_breaker_state, 'closed')
    assert.equal(closed.circuit_breaker_retry_after, undefined)
    assert.equal(closed.circuit_breaker_trips, 1, 'what has been is not forgotten')
    assert.equal(closed.generation, open.generation)
    assert.ok(
      host.lines.some(
        ({ msg, action, actor }) => msg === 'admin action' && action === 'plugin.reset_breaker' && actor,
      ),
    )
    assert.equal((await host.admin('POST', '/failing/breaker/reset')).ok, true, 'a closed one may be reset')
    await host.admin('POST', '/ghost/breaker/reset', { status: 404 })
    const anonymous = await host.send('POST', '/api/v1/admin/plugins/failing/breaker/reset')
    assert.equal(anonymous.status, 401)
  })

  it('survive a reload as a record: trips, stopped calls, the last error; reloads are counted', async (test) => {
    const host = server()
    const of = { plugin: 'reloaded' }
    await install(test, host, source('reloaded'))
    const reloads = (await read(host)).value('plugin_reloads_total', { ...of, status: 'success' }) ?? 0
    assert.equal((await host.call('GET', '/reloaded/raise')).status, 500)
    assert.equal((await host.call('GET', '/reloaded/spin')).status, 504)
    await host.admin('POST', '/reloaded/reload')
    const details = await host.admin<Details>('GET', '/reloaded')
    assert.deepEqual(details.budget_kills, { TIMEOUT: 1 })
    assert.equal(details.circuit_breaker_trips, 1)
    assert.equal(details.last_error?.type, 'HANDLER_TIMEOUT')
    await host.write({ 'reloaded/init.lua': 'syntax error' })
    await host.admin('POST', '/reloaded/reload', { status: 500 })
    assert.equal((await host.admin<Details>('GET', '/reloaded')).last_error?.type, 'PLUGIN_LOAD_FAILED')
    const text = await read(host)
    assert.equal(text.value('plugin_reloads_total', { ...of, status: 'success' }), reloads + 1)
    assert.equal(text.value('plugin_reloads_total', { ...of, status: 'error' }), 1)
    assert.equal(text.value('plugin_errors_total', { ...of, type: 'PLUGIN_LOAD_FAILED' }), 1)
    assert.equal(requests(text, 'GET', 504, 'reloaded'), 1, 'a reload keeps what has been counted')
  })

  it('show calls in flight, and the pool of a plugin that was stopped as closed', async (test) => {
    const host = server()
    const of = { plugin: 'pooled' }
    await install(test, host, source('pooled'))
    const spinning = host.call('GET', '/pooled/spin')
    await until('the call is seen and holds its VM', async () => {
      const text = await read(host)
      const inFlight = text.value('plugin_calls_in_flight', of)
      const available = text.value('plugin_vms_available', of) ?? 0
      return inFlight === 1 && available < (text.value('plugin_vms', of) ?? 0)
    })
    assert.equal((await spinning).status, 504)
    const idle = await host.admin<Details>('GET', '/pooled')
    assert.deepEqual([idle.pool_state, idle.calls_in_flight], ['open', 0])
    await host.admin('POST', '/pooled/disable')
    const stopped = await host.admin<Details & { vms_total: number }>('GET', '/pooled')
    assert.equal(stopped.pool_state, 'closed')
    const text = await read(host)
    assert.equal(text.value('plugin_state', { ...of, state: 'stopped' }), 1)
    assert.equal(text.value('plugin_vms_available', of), 0)
  })

  it('count a hard stop, the thread that it cost, and the quarantine', async (test) => {
    const host = await startHost(test, { plugins, config: longLoops, softLimits: false })
    assert.equal((await host.call('GET', '/worker/spin')).status, 504)
    const text = await read(host)
    assert.equal(text.value('plugin_hard_stops_total', base), 1)
    assert.equal(text.value('plugin_executor_ends_total', { cause: 'hard_stop' }), 1)
    assert.equal(text.value('plugin_quarantined', base), 1)
  })
})
