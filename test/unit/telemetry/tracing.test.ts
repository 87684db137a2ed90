import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { traceLimits } from '../../../src/base/limits/telemetry.js'
import { createTracing, type Tracing } from '../../../src/telemetry/tracing.js'
import { startTraceCollector, type TraceCollector } from '../../helpers/trace-collector.js'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'

interface Traced {
  readonly collector: TraceCollector
  readonly tracing: Tracing
  readonly warnings: string[]
}

async function start(test: TestContext, environment: Record<string, string> = {}): Promise<Traced> {
  const collector = await startTraceCollector(test)
  const warnings: string[] = []
  const tracing = await createTracing({
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...environment },
    version: '1.2.3',
    log: { info: () => undefined, warn: (_fields, message) => void warnings.push(message) },
  })
  assert.ok(tracing)
  return { collector, tracing, warnings }
}

const request = (requestId: string, traceparent?: string, tracestate?: string) => ({
  requestId,
  method: 'GET',
  plugin: 'notes',
  routeKey: 'GET /items/{id}',
  traceparent,
  tracestate,
})

test('a request is a server span with the Lua call as its child, and names what was called', async (test) => {
  const { collector, tracing } = await start(test, { OTEL_SERVICE_NAME: 'shop' })
  const span = tracing.start(request('r1'))
  span.callStarted(7)
  span.callEnded(undefined)
  span.ended(200)
  await tracing.close()
  const [call, server] = collector.spans
  assert.equal(server?.name, 'GET /api/v1/plugins/notes/items/{id}')
  assert.equal(server?.kind, 2)
  assert.equal(server?.parentSpanId, undefined)
  assert.deepEqual(server?.attributes, {
    'http.request.method': 'GET',
    'http.route': '/api/v1/plugins/notes/items/{id}',
    'http.response.status_code': 200,
    'modulacms.plugin': 'notes',
    'modulacms.route': 'GET /items/{id}',
    'modulacms.request_id': 'r1',
    'modulacms.generation': 7,
  })
  assert.equal(server?.resource['service.name'], 'shop')
  assert.equal(server?.resource['service.version'], '1.2.3')
  assert.equal(call?.name, 'lua call')
  assert.equal(call?.traceId, server?.traceId)
  assert.equal(call?.parentSpanId, server?.spanId)
})

test("a caller's trace goes on, and what the request sends carries the span of the Lua call", async (test) => {
  const { collector, tracing } = await start(test)
  const span = tracing.start(request('r1', `00-${traceId}-${spanId}-01`, 'vendor=x'))
  const outside = tracing.headersOf('r1')
  span.callStarted(1)
  const inside = tracing.headersOf('r1')
  span.callEnded('ERROR')
  span.ended(500)
  assert.equal(tracing.headersOf('r1'), undefined, 'an answered request sends nothing on')
  await tracing.close()
  const [call, server] = collector.spans
  assert.equal(server?.traceId, traceId)
  assert.equal(server?.parentSpanId, spanId)
  assert.deepEqual(inside, { traceparent: `00-${traceId}-${call?.spanId}-01`, tracestate: 'vendor=x' })
  assert.equal(outside?.traceparent, `00-${traceId}-${server?.spanId}-01`)
  assert.equal(call?.attributes['error.type'], 'ERROR')
  assert.equal(call?.status?.code, 2)
  assert.equal(server?.status?.code, 2)
})

test('a header that is no trace starts a new one; one that is not sampled is passed on as such', async (test) => {
  const { collector, tracing } = await start(test)
  const forged = tracing.start(request('r1', `00-${traceId}-${spanId}-01, x`))
  forged.ended(200)
  const quiet = tracing.start(request('r2', `00-${traceId}-${spanId}-00`))
  assert.match(tracing.headersOf('r2')?.traceparent ?? '', new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`))
  quiet.ended(200)
  await tracing.close()
  assert.equal(collector.spans.length, 1)
  assert.notEqual(collector.spans[0]?.traceId, traceId)
})

test('a sampler that keeps nothing sends nothing', async (test) => {
  for (const sampler of ['always_off', 'parentbased_always_off', 'traceidratio']) {
    const { collector, tracing } = await start(test, {
      OTEL_TRACES_SAMPLER: sampler,
      OTEL_TRACES_SAMPLER_ARG: '0',
    })
    tracing.start(request('r1')).ended(200)
    await tracing.close()
    assert.equal(collector.spans.length, 0, sampler)
  }
})

test("two requests with one id do not take each other's trace", async (test) => {
  const { tracing } = await start(test)
  const first = tracing.start(request('same'))
  const headers = tracing.headersOf('same')
  const second = tracing.start(request('same'))
  second.callStarted(1)
  assert.deepEqual(tracing.headersOf('same'), headers)
  second.ended(200)
  assert.deepEqual(tracing.headersOf('same'), headers)
  first.ended(200)
  assert.equal(tracing.headersOf('same'), undefined)
  await tracing.close()
})

test('requests beyond the limit are traced but not remembered', async (test) => {
  const { tracing } = await start(test, { OTEL_TRACES_SAMPLER: 'always_off' })
  const open = Array.from({ length: traceLimits.requestsMax + 5 }, (_unused, index) =>
    tracing.start(request(`r${index}`)),
  )
  assert.ok(tracing.headersOf(`r${traceLimits.requestsMax - 1}`))
  assert.equal(tracing.headersOf(`r${traceLimits.requestsMax}`), undefined)
  for (const span of open) span.ended(200)
  assert.equal(tracing.headersOf('r0'), undefined)
  await tracing.close()
})

test('a client that goes away ends the trace; so does a close with a collector that refuses or hangs', async (test) => {
  const { collector, tracing, warnings } = await start(test)
  collector.status = 400
  const span = tracing.start(request('r1'))
  span.callStarted(1)
  span.ended(undefined)
  span.callEnded(undefined)
  await tracing.close()
  assert.equal(collector.posts, 1)
  assert.deepEqual(warnings, ['traces cannot be delivered and are dropped'])
  const hanging = await start(test)
  hanging.collector.status = 0
  hanging.tracing.start(request('r1')).ended(200)
  const startedMs = performance.now()
  await hanging.tracing.close()
  assert.ok(performance.now() - startedMs < traceLimits.closeMs * 4)
})
