import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { it, type TestContext } from 'node:test'
import { plugin, startHost, type TestHost } from '../helpers/create-host.js'

const ticket = { headers: { 'x-ticket': 'yes' } }

/** A plugin that guards /news, in front of a server whose answers may be kept, behind a cache. */
async function startGuarded(t: TestContext, options: string): Promise<TestHost> {
  let count = 0
  const upstream = createServer((_request, response) => {
    count += 1
    response.setHeader('cache-control', 'max-age=60')
    response.end(`answer ${count}`)
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  t.after(() => upstream.close())
  const target = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
  const guard = `gateway.on_request(function(req)
    if req.headers["x-ticket"] ~= "yes" then return { status = 403 } end
  end, { paths = { "/news/**" }, ${options} })`
  return startHost(t, {
    plugins: { 'guard/init.lua': plugin('guard', guard) },
    config: {
      'gateway.cache.enabled': true,
      'gateway.proxy.rules': [{ pattern: '^/', target }],
    },
  })
}

it('serves nothing from the cache past a stage that guards behind it', async (t) => {
  const server = await startGuarded(t, 'name = "door"')
  assert.equal((await server.send('GET', '/news/a', ticket)).text, 'answer 1')
  assert.equal((await server.send('GET', '/news/a')).status, 403)
  const again = await server.send('GET', '/news/a', ticket)
  assert.deepEqual([again.text, again.headers['x-cache']], ['answer 2', undefined])
  assert.equal((await server.send('GET', '/free')).text, 'answer 3')
  const kept = await server.send('GET', '/free')
  assert.deepEqual([kept.text, kept.headers['x-cache']], ['answer 3', 'HIT'], 'other paths are kept')
})

it('serves from the cache to those that a stage in front of it lets in, and to nobody else', async (t) => {
  const server = await startGuarded(t, 'name = "door", priority = 14')
  assert.equal((await server.send('GET', '/news/a', ticket)).headers['x-cache'], 'MISS')
  const kept = await server.send('GET', '/news/a', ticket)
  assert.deepEqual([kept.text, kept.headers['x-cache']], ['answer 1', 'HIT'])
  assert.equal((await server.send('GET', '/news/a')).status, 403)
})

it('keeps shut what a guard that does not start guards, in every spelling', async (t) => {
  const server = await startGuarded(t, 'name = "door"')
  const guarded = ['/news/a', '/news;x/a', '/news%2fa', '/news%2Fa', '/%6eews/a', '/news']
  for (const path of guarded) assert.equal((await server.send('GET', path)).status, 403, path)
  await server.write({ 'guard/init.lua': 'this is no Lua' })
  await server.restart({ approve: false })
  for (const path of guarded) assert.equal((await server.send('GET', path, ticket)).status, 503, path)
  assert.equal((await server.send('GET', '/free')).status, 200)
})
