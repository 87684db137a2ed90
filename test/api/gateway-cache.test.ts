import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { startHost, type TestHost } from '../helpers/create-host.js'
import { startWebServer } from '../helpers/web-server.js'

/** Answers that are kept, over sockets: each key of the settings, and each way to take them out. */

interface World {
  readonly server: TestHost
  /** Requests that came to the server behind. */
  count(): number
  /** Which one of them an answer is of. */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<number>
  invalidate(body: unknown): Promise<unknown>
}

async function open(
  t: TestContext,
  cache: Readonly<Record<string, unknown>> = {},
  more: Readonly<Record<string, unknown>> = {},
): Promise<World> {
  let count = 0
  const upstream = await startWebServer(t, (request, response) => {
    count += 1
    if (request.url?.includes('tagged')) response.setHeader('cache-tag', 'news, list')
    if (request.url?.includes('private')) response.setHeader('cache-control', 'private')
    if (request.url?.includes('cookie')) response.setHeader('set-cookie', 'a=b')
    response.end(String(count))
  })
  const config: Record<string, unknown> = {
    'gateway.cache.enabled': true,
    'gateway.proxy.rules': [{ pattern: '^/app/', target: upstream.url }],
  }
  for (const [key, value] of Object.entries(cache)) config[`gateway.cache.${key}`] = value
  const server = await startHost(t, { plugins: {}, config: { ...config, ...more } })
  return {
    server,
    count: () => count,
    async get(path, headers = {}) {
      const { status, text } = await server.send('GET', path, { headers })
      assert.equal(status, 200, text)
      return Number(text)
    },
    async invalidate(json) {
      const answer = await server.send('POST', '/gateway/api/cache/invalidate', {
        headers: server.credentials,
        json,
      })
      assert.equal(answer.status, 200, answer.text)
      return answer.json()
    },
  }
}

it('is off unless it is turned on', async (t) => {
  const { get } = await open(t, { enabled: false })
  assert.deepEqual([await get('/app/x'), await get('/app/x')], [1, 2])
})

describe('answers that are kept', () => {
  it('are those of methods, paths and header values that the settings name, which say so, and of nobody', async (t) => {
    const { server, get } = await open(t, { excludePaths: ['/app/never/**'], varyBy: ['x-team'] })
    assert.equal((await server.send('GET', '/app/x')).headers['x-cache'], 'MISS')
    const again = await server.send('GET', '/app/x')
    assert.deepEqual([again.text, again.headers['x-cache']], ['1', 'HIT'])
    for (const path of ['/app/private', '/app/cookie'])
      assert.notEqual(await get(path), await get(path), path)
    const secret = { authorization: 'Bearer x' }
    assert.notEqual(await get('/app/mine', secret), await get('/app/mine', secret))
    assert.notEqual(await get('/app/never/x'), await get('/app/never/x'))
    const red = await get('/app/y', { 'x-team': 'red' })
    const blue = await get('/app/y', { 'x-team': 'blue' })
    assert.notEqual(red, blue)
    assert.equal(await get('/app/y', { 'x-team': 'red' }), red)
  })

  it('are no more than maxEntries, and live no longer than ttl', async (t) => {
    const { server, get } = await open(t, { maxEntries: 2, ttl: 1 })
    const first = await get('/app/1')
    await get('/app/2')
    await get('/app/3')
    const { cache } = (await server.send('GET', '/gateway/api/stats', { headers: server.credentials })).json<{
      cache: { entries: number; enabled: boolean }
    }>()
    assert.deepEqual([cache.enabled, cache.entries], [true, 2])
    assert.notEqual(await get('/app/1'), first)
    const shown = await server.send('GET', '/gateway/api/config', { headers: server.credentials })
    assert.equal(shown.json<{ cache: { ttl: number } }>().cache.ttl, 1)
  })
})

it('answers nobody whom an authorizer of the path does not let pass, also where nobody has to say who they are', async (t) => {
  const office = { from: '203.0.113.0/24', path: '/app/office/**' }
  const { server, get } = await open(
    t,
    {},
    {
      plugin_trusted_proxies: ['127.0.0.1'],
      'auth.http.rules': [{ paths: [office.path], authenticators: [], authorizers: ['policies'] }],
      'auth.policies.policies': [
        {
          id: 'office',
          effect: 'permit',
          subjects: [],
          resources: [],
          actions: [],
          conditions: [{ type: 'ip', allow: [office.from] }],
        },
      ],
    },
  )
  const [inside, outside] = [{ 'x-forwarded-for': '203.0.113.7' }, { 'x-forwarded-for': '198.51.100.7' }]
  assert.equal(await get('/app/office/x', inside), 1)
  assert.equal(await get('/app/office/x', inside), 1, 'it is kept')
  for (const method of ['GET', 'HEAD']) {
    const answer = await server.send(method, '/app/office/x', { headers: outside })
    assert.equal(answer.status, 403, method)
  }
  assert.equal(await get('/app/office/x', inside), 1)
})

describe('what is taken out', () => {
  const paths = ['/app/a?x=1', '/app/a?x=2', '/app/b/tagged', '/app/b/c/tagged'] as const
  const rows: readonly (readonly [object, unknown, readonly string[]])[] = [
    [{ key: 'GET:/app/a?x=1' }, 1, ['/app/a?x=1']],
    [{ key: 'GET:/app/none' }, 0, []],
    [{ pattern: '/app/b/*' }, 2, ['/app/b/tagged', '/app/b/c/tagged']],
    [{ tag: 'news' }, 2, ['/app/b/tagged', '/app/b/c/tagged']],
    [{ tag: 'new' }, 0, []],
    [{}, 'all', paths],
  ]
  it('by key, pattern, tag, or everything, and nothing else', async (t) => {
    const { get, invalidate } = await open(t)
    for (const [body, invalidated, gone] of rows) {
      const before = new Map<string, number>()
      for (const path of paths) before.set(path, await get(path))
      assert.deepEqual(await invalidate(body), { invalidated }, JSON.stringify(body))
      for (const path of paths) {
        const isNew = (await get(path)) !== before.get(path)
        assert.equal(isNew, gone.includes(path), `${JSON.stringify(body)} and ${path}`)
      }
    }
  })
})
