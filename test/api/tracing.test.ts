import assert from 'node:assert/strict'
import { it } from 'node:test'
import { plugin, startHost } from '../helpers/create-host.js'
import { startTraceCollector } from '../helpers/trace-collector.js'

const tracer = plugin(
  'tracer',
  `
local public = { public = true }
http.handle("GET", "/items/{id}", function() return { json = {} } end, public)
http.handle("GET", "/raise", function() error("secret of Lua") end, public)
http.handle("GET", "/guarded", function() return {} end)
`,
)

it('traces the requests to plugins, refused ones too, and delivers what is left when the host closes', async (test) => {
  const collector = await startTraceCollector(test)
  const host = await startHost(test, {
    plugins: { 'tracer/init.lua': tracer },
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
  })
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, 'x-request-id': 'mine-1' }
  assert.equal((await host.call('GET', '/tracer/items/7?token=secret', { headers })).status, 200)
  assert.equal((await host.call('GET', '/tracer/raise')).status, 500)
  assert.equal((await host.call('GET', '/tracer/guarded')).status, 401)
  assert.equal((await host.call('GET', '/tracer/nothing')).status, 404)
  const { generation } = await host.admin<{ generation: number }>('GET', '/tracer')
  await host.close()
  const servers = collector.spans.filter(({ kind }) => kind === 2)
  assert.deepEqual(
    servers.map(({ name, attributes }) => [name, attributes['http.response.status_code']]),
    [
      ['GET /api/v1/plugins/tracer/items/{id}', 200],
      ['GET /api/v1/plugins/tracer/raise', 500],
      ['GET /api/v1/plugins/tracer/guarded', 401],
    ],
  )
  const [first] = servers
  assert.equal(first?.traceId, traceId)
  assert.equal(first?.attributes['modulacms.generation'], generation)
  assert.equal(first?.attributes['modulacms.request_id'], 'mine-1')
  const calls = collector.spans.filter(({ name }) => name === 'lua call')
  assert.deepEqual(
    calls.map(({ parentSpanId, attributes }) => [parentSpanId, attributes['error.type']]),
    [
      [servers[0]?.spanId, undefined],
      [servers[1]?.spanId, 'ERROR'],
    ],
  )
  assert.ok(
    !JSON.stringify(collector.spans).includes('secret'),
    'neither queries nor Lua text leave the host',
  )
})

it('serves as ever when nobody collects, and says so once', async (test) => {
  const host = await startHost(test, {
    plugins: { 'tracer/init.lua': tracer },
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
  })
  for (let count = 0; count < 5; count += 1) {
    assert.equal((await host.call('GET', '/tracer/items/1')).status, 200)
  }
  await host.close()
  assert.ok(host.lines.some(({ msg }) => msg === 'requests are traced'))
})
