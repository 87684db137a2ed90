import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, it } from 'node:test'
import { openHost, plugin, type TestHost } from '../helpers/create-host.js'

const ticket = { headers: { 'x-ticket': 'yes' } }

/** Guards paths of its own, in front of a server whose answers may be kept, and a cache. */
const guard = (name: string, folder: string, options = '') => ({
  [`${name}/init.lua`]: plugin(
    name,
    `gateway.on_request(function(req)
      if req.headers["x-ticket"] ~= "yes" then return { status = 403 } end
    end, { paths = { "${folder}/**" }, timeout_ms = 5000, name = "door" ${options} })`,
  ),
})

let server: TestHost & { dispose(): Promise<void> }
let upstream: Server
before(async () => {
  let count = 0
  upstream = createServer((_request, response) => {
    count += 1
    response.setHeader('cache-control', 'max-age=60')
    response.end(`answer ${count}`)
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const target = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
  server = await openHost({
    plugins: {
      ...guard('behind', '/news'),
      ...guard('before', '/papers', ', priority = 14'),
      ...guard('broken', '/files'),
    },
    config: { 'gateway.cache.enabled': true, 'gateway.proxy.rules': [{ pattern: '^/', target }] },
  })
})
after(async () => {
  await server.dispose()
  upstream.close()
})

it('serves nothing from the cache past a stage that guards behind it', async () => {
  const first = await server.send('GET', '/news/a', ticket)
  assert.match(first.text, /^answer \d+$/)
  assert.equal((await server.send('GET', '/news/a')).status, 403)
  const again = await server.send('GET', '/news/a', ticket)
  assert.match(again.text, /^answer \d+$/)
  assert.notEqual(again.text, first.text)
  assert.equal(again.headers['x-cache'], undefined)
  const free = await server.send('GET', '/free')
  assert.match(free.text, /^answer \d+$/)
  const kept = await server.send('GET', '/free')
  assert.deepEqual([kept.text, kept.headers['x-cache']], [free.text, 'HIT'], 'other paths are kept')
})

it('serves from the cache to those that a stage in front of it lets in, and to nobody else', async () => {
  const first = await server.send('GET', '/papers/a', ticket)
  assert.equal(first.headers['x-cache'], 'MISS')
  const kept = await server.send('GET', '/papers/a', ticket)
  assert.deepEqual([kept.text, kept.headers['x-cache']], [first.text, 'HIT'])
  assert.equal((await server.send('GET', '/papers/a')).status, 403)
})

it('keeps shut what a guard that does not start guards, in every spelling', async () => {
  const guarded = ['/files/a', '/files;x/a', '/files%2fa', '/files%2Fa', '/%66iles/a', '/files']
  for (const path of guarded) assert.equal((await server.send('GET', path)).status, 403, path)
  await server.write({ 'broken/init.lua': 'this is no Lua' })
  await server.restart({ approve: false })
  for (const path of guarded) assert.equal((await server.send('GET', path, ticket)).status, 503, path)
  assert.equal((await server.send('GET', '/other')).status, 200)
})
