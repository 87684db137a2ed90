import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTraceSettings } from '../../../src/telemetry/trace-settings.js'

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }

test('nothing is traced unless an address says where to', () => {
  assert.equal(readTraceSettings({}), undefined)
  assert.equal(readTraceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ', OTEL_SERVICE_NAME: 'x' }), undefined)
  assert.equal(readTraceSettings({ ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }), undefined)
  assert.equal(readTraceSettings({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }), undefined)
})

test('the general address gets the path of traces, the one for traces is taken as it is', () => {
  assert.equal(readTraceSettings(endpoint)?.url, 'http://collector:4318/v1/traces')
  const slash = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/otlp/' }
  assert.equal(readTraceSettings(slash)?.url, 'http://collector:4318/otlp/v1/traces')
  const own = { ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://other/x' }
  assert.equal(readTraceSettings(own)?.url, 'https://other/x')
})

test('an address that is none stops the start and says what to do', () => {
  for (const address of ['collector:4318', 'not an address', 'file:///tmp/x']) {
    assert.throws(
      () => readTraceSettings({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: address }),
      /no HTTP URL; set OTEL_EXPORTER_OTLP_ENDPOINT/,
    )
  }
})

test('names and attributes of the service', () => {
  assert.equal(readTraceSettings(endpoint)?.serviceName, 'modulacms')
  const attributes = {
    ...endpoint,
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=shop, region=eu%2Cwest,,broken,=x',
  }
  const settings = readTraceSettings(attributes)
  assert.equal(settings?.serviceName, 'shop')
  assert.deepEqual(settings?.attributes, { 'service.name': 'shop', region: 'eu,west' })
  assert.equal(settings?.problems.length, 2)
  assert.equal(readTraceSettings({ ...attributes, OTEL_SERVICE_NAME: 'mine' })?.serviceName, 'mine')
})

test('samplers, and what becomes of those that do not exist', () => {
  const of = (sampler: string, argument?: string) =>
    readTraceSettings({ ...endpoint, OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: argument })
  assert.equal(readTraceSettings(endpoint)?.sampler, 'parentbased_always_on')
  assert.equal(of('always_off')?.sampler, 'always_off')
  assert.equal(of('traceidratio', '0.25')?.ratio, 0.25)
  for (const wrong of ['2', '-1', 'many']) {
    const settings = of('parentbased_traceidratio', wrong)
    assert.equal(settings?.ratio, 1)
    assert.match(settings?.problems[0] ?? '', /OTEL_TRACES_SAMPLER_ARG ".*" counts as 1; use a number/)
  }
  const unknown = of('sometimes')
  assert.equal(unknown?.sampler, 'parentbased_always_on')
  assert.match(unknown?.problems[0] ?? '', /OTEL_TRACES_SAMPLER "sometimes" is not known/)
})
