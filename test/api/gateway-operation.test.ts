import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loadConfig } from '../../src/config/load.js'
import { plugin, startHost, useHost } from '../helpers/create-host.js'
import { until } from '../helpers/until.js'

interface Listed {
  readonly name: string
  readonly priority: number
  readonly timeout_ms?: number
}

describe('a limit, and a cache', () => {
  const server = useHost({
    plugins: {},
    config: {
      'gateway.rateLimit.requests': 2,
      'gateway.rateLimit.window': '1h',
      'gateway.cache.enabled': true,
    },
  })
  const clear = () =>
    server().send('POST', '/gateway/api/rate-limit/clear', { headers: server().credentials })

  it('lets admins through a limit that is used up, to where it can be mended, and nobody else', async () => {
    await clear()
    const { credentials } = server()
    const statusOf = async (path: string, headers = credentials): Promise<number> =>
      (await server().send('GET', path, { headers })).status
    for (let at = 0; at < 2; at += 1) assert.equal(await statusOf('/nothing', {}), 404)
    assert.equal(await statusOf('/nothing', {}), 429)
    for (const path of ['/gateway/api/stats', '/redirects/api/rules', '/api/v1/admin/plugins']) {
      assert.equal(await statusOf(path), 200, path)
      assert.equal(await statusOf(path, {}), 429, path)
    }
    assert.equal(await statusOf('/nothing'), 429, 'elsewhere an admin is a client like others')
  })

  it('tells in the metrics how each part is doing', async () => {
    await clear()
    const textOf = async () =>
      (await server().send('GET', '/metrics', { headers: server().credentials })).text
    const countOf = (text: string, name: string) =>
      Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (\\d+)$`, 'm').exec(text)?.[1])
    const allowed = 'gateway_rate_limit_requests_total{outcome="allowed"}'
    const refused = 'gateway_rate_limit_requests_total{outcome="refused"}'
    const missed = 'gateway_cache_requests_total{result="miss"}'
    const before = await textOf()
    await clear()
    for (let at = 0; at < 3; at += 1) await server().send('GET', '/nothing')
    await clear()
    const text = await textOf()
    const more = (name: string) => countOf(text, name) - countOf(before, name)
    assert.ok([2, 3].includes(more(allowed)), `${more(allowed)}`)
    assert.equal(more(refused), 1)
    assert.match(text, /^gateway_rate_limit_clients \d$/m)
    assert.equal(more(missed), 2)
    assert.match(text, /^gateway_cache_entries 0$/m)
    assert.match(text, /^gateway_proxy_tunnels 0$/m)
    assert.match(text, /^gateway_stages_unavailable\{reason="held"\} 0$/m)
  })
})

describe('times and places of stages, and a cache that is off', () => {
  const host = useHost({
    plugins: {
      'edge/init.lua': plugin(
        'edge',
        `local function pass() end
         gateway.on_request(pass, { name = "plain", paths = { "/x" } })
         gateway.on_request(pass, { name = "own", paths = { "/x" }, timeout_ms = 70, priority = 60 })`,
      ),
      'slow/init.lua': plugin(
        'slow',
        'gateway.on_request(function(req) while true do end end, { paths = { "/slow" } })',
      ),
    },
    config: {
      'gateway.stage.timeout': '40ms',
      'gateway.stage.failures': 1,
      'gateway.priorities': { 'plugin:edge/plain': 90, cors: 3 },
      'gateway.cache.ttl': 5,
    },
  })

  it('gives a stage that names no time and no place those of the configuration, and leaves it what it names', async () => {
    const server = host()
    const { credentials: headers } = server
    const listed = (await server.send('GET', '/gateway/api/pipeline', { headers })).json<Listed[]>()
    const of = (wanted: string) => {
      const found = listed.find(({ name }) => name === wanted)
      return [found?.priority, found?.timeout_ms]
    }
    assert.deepEqual(of('plugin:edge/plain'), [90, 40])
    assert.deepEqual(of('plugin:edge/own'), [60, 70])
    assert.deepEqual(of('cors'), [3, undefined])
    const names = listed.map(({ name }) => name)
    assert.ok(names.indexOf('plugin:edge/own') < names.indexOf('plugin:edge/plain'), String(names))
  })

  it('ends a stage at the time of the configuration', async () => {
    const server = host()
    assert.equal((await server.send('GET', '/slow')).status, 503)
    const { credentials: headers } = server
    const listed = (await server.send('GET', '/gateway/api/pipeline', { headers })).json<unknown[]>()
    assert.match(JSON.stringify(listed), /"breaker":"open"/)
    assert.equal((await server.send('GET', '/other')).status, 404)
  })

  it('writes down who changed what of the gateway, without what may be secret', async () => {
    const server = host()
    const { credentials: headers } = server
    const rule = { pattern: '^/a', target: 'http://127.0.0.1:1', headers: { authorization: 'geheim' } }
    const added = await server.send('POST', '/redirects/api/rules', { headers, json: rule })
    const { id } = added.json<{ id: string }>()
    await server.send('DELETE', `/redirects/api/rules/${id}`, { headers })
    await server.send('DELETE', '/redirects/api/rules/none', { headers })
    await server.send('GET', '/redirects/api/rules', { headers })
    await server.send('DELETE', '/gateway/api/logs')
    const told = () =>
      server.lines
        .filter(({ msg }) => msg.startsWith('admin action'))
        .map(({ action, actor, id, status, msg }) => ({ action, actor, id, status, msg }))
    await until('all is written', () => told().length >= 3)
    const done = { actor: 'admin', status: undefined, msg: 'admin action' }
    assert.deepEqual(told(), [
      { ...done, action: 'POST /redirects/api/rules', id: undefined },
      { ...done, action: 'DELETE /redirects/api/rules/:id', id },
      {
        ...done,
        action: 'DELETE /redirects/api/rules/:id',
        id: 'none',
        status: 404,
        msg: 'admin action failed',
      },
    ])
    assert.doesNotMatch(JSON.stringify(server.lines), /geheim/)
  })

  it('shows a cache that is off as one that is off', async () => {
    const server = host()
    const { credentials: headers } = server
    const listed = (await server.send('GET', '/gateway/api/pipeline', { headers })).json<object[]>()
    const cache = listed.find((each) => 'name' in each && each.name === 'cache')
    assert.deepEqual(cache, { name: 'cache', priority: 15, phases: ['answer'], enabled: false })
  })

  it('tells nothing in the metrics of parts that are off', async () => {
    const { text } = await host().send('GET', '/metrics', { headers: host().credentials })
    assert.doesNotMatch(text, /^gateway_(?:rate_limit|cache)[a-z_]*(?:\{.*\})? /m)
    assert.match(text, /^gateway_proxy_tunnels 0$/m)
  })
})

it('names the rule of the configuration that cannot be used', async (t) => {
  const rules = [
    { pattern: '^/a', target: 'http://127.0.0.1:1' },
    { pattern: '^/(a+)+$', target: 'http://127.0.0.1:1' },
  ]
  const started = startHost(t, { plugins: {}, config: { 'gateway.proxy.rules': rules } })
  await assert.rejects(started, (error: Error & { code?: string }) => {
    assert.match(error.message, /^gateway\.proxy\.rules\[1\] cannot be used: .*repetition/)
    assert.equal(error.code, 'PROXY_PATTERN_INVALID')
    return true
  })
})

it('refuses a place for a stage that there is not, with the names that there are', () => {
  assert.throws(
    () => loadConfig({ environment: {}, flags: { 'gateway.priorities': { cros: 3 } } }),
    /gateway\.priorities.*names of stages: metrics, proxy, shell, cors, rate-limit, cache, or/,
  )
})
