import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { openHost, plugin, type TestHost } from '../helpers/create-host.js'

const unavailable = 'GATEWAY_STAGE_UNAVAILABLE'

/** An init.lua with one stage, which is not late on a busy machine. */
const stage = (name: string, body: string, options: string): string =>
  plugin(name, `gateway.on_request(function(req) ${body} end, { timeout_ms = 5000, ${options} })`)

const leading = (path: string) => `return { request = { path = "${path}" } }`

const vault = plugin(
  'vault',
  'http.handle("GET", "/gold", function() return { body = "gold" } end, { public = true })',
)
const gold = '/api/v1/plugins/vault/gold'
const closed = 'return { status = 403 }'
const plugins = {
  vault,
  // In front of whoever leads there, and behind.
  guard: stage('guard', closed, 'paths = { "/api/v1/plugins/vault/**" }, priority = 60'),
  thief: stage('thief', leading(gold), 'paths = { "/free" }, priority = 1000'),
  mover: stage('mover', leading(gold), 'paths = { "/old" }, priority = 50'),
  ping: stage('ping', `log.info("ping") ${leading('/pong')}`, 'paths = { "/ping" }, priority = 40'),
  pong: stage('pong', `log.info("pong") ${leading('/ping')}`, 'paths = { "/pong" }, priority = 60'),
  mask: stage('mask', leading('/behind/free?a=1'), 'paths = { "/behind/safe/**" }, priority = 10'),
  keeper: stage('keeper', closed, 'paths = { "/behind/safe/**" }, priority = 50'),
  carrier: stage('carrier', leading('/behind/safe/gold'), 'paths = { "/behind/old" }, priority = 60'),
  broken: stage('broken', closed, 'paths = { "/behind/shut/**" }'),
}

let server: TestHost & { dispose(): Promise<void> }
let upstream: Server
before(async () => {
  // Answers with the target that it was asked for.
  upstream = createServer((request, response) => response.end(`upstream ${request.url}`))
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const target = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
  server = await openHost({
    plugins: Object.fromEntries(
      Object.entries(plugins).map(([name, text]) => [`${name}/init.lua`, text] as const),
    ),
    config: { 'gateway.proxy.rules': [{ pattern: '^/behind/', target }] },
  })
})
after(async () => {
  await server.dispose()
  upstream.close()
})

describe('a stage that leads requests elsewhere', () => {
  it('leads nobody past a guard in front of it', async () => {
    assert.equal((await server.send('GET', gold)).status, 403)
    const led = await server.send('GET', '/free')
    assert.deepEqual([led.status, led.text], [403, ''])
  })

  it('comes to an end with others that lead back, and is asked once', async () => {
    assert.equal((await server.send('GET', '/ping')).status, 404)
    assert.equal((await server.send('GET', '/pong')).status, 404)
    const told = server.lines.map(({ msg }) => msg).filter((msg) => msg === 'ping' || msg === 'pong')
    assert.deepEqual(told, ['ping', 'pong', 'pong', 'ping'])
  })

  it('shows a guard no other path than the one that a server behind is asked for', async () => {
    assert.equal((await server.send('GET', '/behind/safe/gold')).text, 'upstream /behind/free?a=1')
    assert.equal((await server.send('GET', '/behind/free')).text, 'upstream /behind/free')
    const led = await server.send('GET', '/behind/old')
    assert.notEqual(led.text, 'upstream /behind/safe/gold')
  })
})

it('a guard that cannot run keeps shut every spelling that it would have seen, and where others lead', async () => {
  const spellings = ['/behind/shut/gold', '/behind/shut%2Fgold', '/behind/shut;a=b/gold']
  const statuses = async () =>
    Promise.all(spellings.map(async (path) => (await server.send('GET', path)).status))
  assert.deepEqual(await statuses(), [403, 403, 403])
  assert.equal((await server.send('GET', '/old')).status, 403)
  await server.write({ 'broken/init.lua': 'this is no Lua', 'guard/init.lua': 'this is no Lua' })
  await server.restart({ approve: false })
  assert.deepEqual(await statuses(), [503, 503, 503])
  assert.equal((await server.send('GET', gold)).json<{ code: string }>().code, unavailable)
  const led = await server.send('GET', '/old')
  assert.equal(led.status, 503)
  assert.equal(led.json<{ code: string }>().code, unavailable)
})
