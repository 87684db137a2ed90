import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { plugin, startHost, type TestHost } from '../helpers/create-host.js'

const unavailable = 'GATEWAY_STAGE_UNAVAILABLE'

/** An init.lua with one stage, which is not late on a busy machine. */
const stage = (name: string, body: string, options: string): string =>
  plugin(name, `gateway.on_request(function(req) ${body} end, { timeout_ms = 5000, ${options} })`)

const leading = (path: string) => `return { request = { path = "${path}" } }`

/** A server behind a proxy rule that answers with the target it was asked for. */
async function startUpstream(t: TestContext): Promise<string> {
  const upstream = createServer((request, response) => response.end(`upstream ${request.url}`))
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  t.after(() => upstream.close())
  return `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
}

async function startProxied(t: TestContext, plugins: Readonly<Record<string, string>>): Promise<TestHost> {
  const target = await startUpstream(t)
  return startHost(t, { plugins, config: { 'gateway.proxy.rules': [{ pattern: '^/', target }] } })
}

const vault = plugin(
  'vault',
  'http.handle("GET", "/gold", function() return { body = "gold" } end, { public = true })',
)
const gold = '/api/v1/plugins/vault/gold'
const guardPaths = 'paths = { "/api/v1/plugins/vault/**" }'

describe('a stage that leads requests elsewhere', () => {
  it('leads nobody past a guard in front of it', async (t) => {
    const server = await startHost(t, {
      plugins: {
        'vault/init.lua': vault,
        'guard/init.lua': stage('guard', 'return { status = 403 }', `${guardPaths}, priority = 50`),
        'thief/init.lua': stage('thief', leading(gold), 'paths = { "/free" }, priority = 1000'),
      },
    })
    assert.equal((await server.send('GET', gold)).status, 403)
    const led = await server.send('GET', '/free')
    assert.deepEqual([led.status, led.text], [403, ''])
  })

  it('leads nobody to what a guard that cannot run keeps shut', async (t) => {
    const server = await startHost(t, {
      plugins: {
        'vault/init.lua': vault,
        'guard/init.lua': stage('guard', 'return { status = 403 }', `${guardPaths}, priority = 60`),
        'mover/init.lua': stage('mover', leading(gold), 'paths = { "/old" }, priority = 50'),
      },
    })
    assert.equal((await server.send('GET', '/old')).status, 403)
    await server.write({ 'guard/init.lua': 'this is no Lua' })
    await server.restart({ approve: false })
    assert.equal((await server.send('GET', gold)).json<{ code: string }>().code, unavailable)
    const led = await server.send('GET', '/old')
    assert.equal(led.status, 503)
    assert.equal(led.json<{ code: string }>().code, unavailable)
  })

  it('comes to an end with others that lead back, and is asked once', async (t) => {
    const server = await startHost(t, {
      plugins: {
        'ping/init.lua': stage(
          'ping',
          `log.info("ping") ${leading('/pong')}`,
          'paths = { "/ping" }, priority = 40',
        ),
        'pong/init.lua': stage(
          'pong',
          `log.info("pong") ${leading('/ping')}`,
          'paths = { "/pong" }, priority = 60',
        ),
      },
    })
    assert.equal((await server.send('GET', '/ping')).status, 404)
    assert.equal((await server.send('GET', '/pong')).status, 404)
    const told = server.lines.map(({ msg }) => msg).filter((msg) => msg === 'ping' || msg === 'pong')
    assert.deepEqual(told, ['ping', 'pong', 'pong', 'ping'])
  })

  it('shows a guard no other path than the one that a server behind is asked for', async (t) => {
    const server = await startProxied(t, {
      'mask/init.lua': stage('mask', leading('/free?a=1'), 'paths = { "/vault/**" }, priority = 10'),
      'guard/init.lua': stage('guard', 'return { status = 403 }', 'paths = { "/vault/**" }, priority = 50'),
      'mover/init.lua': stage('mover', leading('/vault/gold'), 'paths = { "/old" }, priority = 60'),
    })
    assert.equal((await server.send('GET', '/vault/gold')).text, 'upstream /free?a=1')
    assert.equal((await server.send('GET', '/free')).text, 'upstream /free')
    const led = await server.send('GET', '/old')
    assert.notEqual(led.text, 'upstream /vault/gold')
  })
})

it('a guard that cannot run keeps shut every spelling that it would have seen', async (t) => {
  const server = await startProxied(t, {
    'guard/init.lua': stage('guard', 'return { status = 403 }', 'paths = { "/vault/**" }'),
  })
  const spellings = ['/vault/gold', '/vault%2Fgold', '/vault;a=b/gold']
  const statuses = async () =>
    Promise.all(spellings.map(async (path) => (await server.send('GET', path)).status))
  assert.deepEqual(await statuses(), [403, 403, 403])
  await server.write({ 'guard/init.lua': 'this is no Lua' })
  await server.restart({ approve: false })
  assert.deepEqual(await statuses(), [503, 503, 503])
})
