import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { startShell } from '../../../helpers/shell-world.js'

const app = 'the app'

function addApp(server: FastifyInstance): void {
  for (const path of ['/deployments', '/deployments/list', '/cpanel', '/chunk-abc.js', '/assets/own.js']) {
    server.get(path, () => app)
  }
  server.post('/chunk-abc.js', () => app)
  server.get('/api/things', () => app)
  server.get('/api', () => app)
}

type Row = readonly [
  title: string,
  method: string,
  path: string,
  destination: string | undefined,
  serves: string,
]

const page = '<title>shell</title>'
const nothing = 'nothing here'

const rows: readonly Row[] = [
  ['a page load', 'GET', '/deployments', 'document', page],
  ['a deep page load', 'GET', '/deployments/list?x=1', 'document', page],
  ['a page load of a path that nobody has', 'GET', '/anything/at/all', 'document', page],
  ['a page load of a file', 'GET', '/assets/main.js', 'document', page],
  ['the root', 'GET', '/', 'document', page],
  ['the root without a destination', 'GET', '/', undefined, page],
  ['the root of a script', 'GET', '/', 'empty', page],
  ['the page by its name', 'GET', '/index.html', undefined, page],
  ['a file at the root', 'GET', '/chunk-abc.js', 'script', 'of the shell'],
  ['a file at the root without a destination', 'GET', '/chunk-abc.js', undefined, 'of the shell'],
  ['a file at the root with a query', 'GET', '/chunk-abc.js?v=2', 'script', 'of the shell'],
  ['a file further down', 'GET', '/assets/main.js', 'script', 'of the shell'],
  ['a file further down that the host has', 'GET', '/assets/own.js', 'script', app],
  ['a file that nobody has', 'GET', '/assets/none.js', 'script', nothing],
  ['one segment that is no file of the shell', 'GET', '/deployments', 'empty', app],
  ['one segment that is no file of the shell, unspecified', 'GET', '/deployments', undefined, app],
  ['a folder of the shell', 'GET', '/assets', 'empty', nothing],
  ['an iframe', 'GET', '/deployments', 'iframe', app],
  ['an iframe further down', 'GET', '/deployments/list', 'iframe', app],
  ['an embed', 'GET', '/deployments', 'embed', app],
  ['an object', 'GET', '/deployments', 'object', app],
  ['a frame', 'GET', '/deployments', 'frame', app],
  ['the root in an iframe', 'GET', '/', 'iframe', nothing],
  ['a file at the root in an iframe', 'GET', '/chunk-abc.js', 'iframe', app],
  ['a file further down in an iframe', 'GET', '/assets/main.js', 'iframe', nothing],
  ['an API path', 'GET', '/api/things', 'document', app],
  ['the start of the API', 'GET', '/api', 'document', app],
  ['an API path that is not there', 'GET', '/api/none', 'document', nothing],
  ['a path that only starts like the API', 'GET', '/apikeys', 'document', page],
  ['a deep API', 'GET', '/gateway/api/none', 'document', nothing],
  ['a neighbour of a deep API', 'GET', '/gateway/start', 'document', page],
  ['a form that is sent', 'POST', '/deployments', 'document', nothing],
  ['a file at the root that is posted to', 'POST', '/chunk-abc.js', 'empty', app],
  ['a preflight of one segment', 'OPTIONS', '/chunk-abc.js', 'empty', nothing],
  ['a preflight of the root', 'OPTIONS', '/', 'empty', nothing],
  ['another method', 'DELETE', '/', 'document', nothing],
  ['an excluded page', 'GET', '/cpanel', 'document', app],
  ['an excluded page further down', 'GET', '/cpanel/none', 'document', nothing],
  ['an excluded page behind two slashes', 'GET', '//cpanel', 'document', nothing],
  ['an excluded page in percent signs', 'GET', '/%63panel', 'document', app],
  ['another case is another basename', 'GET', '/CPANEL', 'document', page],
]

test('who answers which request', async (t) => {
  const { client } = await startShell(t, { routes: addApp, envExcludes: 'cpanel' })
  for (const [title, method, path, destination, serves] of rows) {
    await t.test(`${title}: ${method} ${path} (${destination ?? 'no destination'})`, async () => {
      const headers = destination === undefined ? {} : { 'sec-fetch-dest': destination }
      const { text, status } = await client.send(method, path, { headers })
      assert.ok(text.includes(serves), `${status} ${text}`)
      assert.equal(status, serves === nothing ? 404 : 200)
    })
  }
})

test('the page has a base, its type, and is asked for again each time', async (t) => {
  const { client } = await startShell(t)
  const { headers, text } = await client.send('GET', '/a/b', { headers: { 'sec-fetch-dest': 'document' } })
  assert.equal(text, '<!doctype html><html><HEAD lang="en"><base href="/"><title>shell</title></HEAD></html>')
  assert.equal(headers['content-type'], 'text/html; charset=utf-8')
  assert.equal(headers['cache-control'], 'no-cache')
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers.vary, 'Sec-Fetch-Dest, Cookie')
})

test('HEAD is answered with the same head, without a body', async (t) => {
  const { client } = await startShell(t)
  for (const path of ['/', '/chunk-abc.js', '/assets/main.js']) {
    const { headers, status } = await client.send('GET', path)
    const head = await client.send('HEAD', path)
    assert.equal(head.status, status, path)
    assert.equal(head.text, '')
    for (const name of ['content-type', 'content-length', 'etag', 'vary'] as const) {
      assert.ok(headers[name] !== undefined, `${path} ${name}`)
      assert.equal(head.headers[name], headers[name], `${path} ${name}`)
    }
  }
})

test('answers of apps tell caches that a page load gets something else', async (t) => {
  const { client } = await startShell(t, {
    envExcludes: 'cpanel',
    routes(server) {
      addApp(server)
      server.get('/varied/x', (_request, reply) => reply.header('vary', 'origin, sec-fetch-dest').send(app))
      server.get('/any/x', (_request, reply) => reply.header('vary', '*').send(app))
      server.get('/languages/x', (_request, reply) => reply.header('vary', 'Accept-Language').send(app))
    },
  })
  const vary = async (path: string, headers: Record<string, string> = { 'sec-fetch-dest': 'iframe' }) =>
    (await client.send('GET', path, { headers })).headers.vary
  assert.equal(await vary('/deployments'), 'Sec-Fetch-Dest')
  assert.equal(await vary('/languages/x'), 'Accept-Language, Sec-Fetch-Dest')
  assert.equal(await vary('/varied/x'), 'origin, sec-fetch-dest')
  assert.equal(await vary('/any/x'), '*')
  assert.equal(await vary('/cpanel'), undefined)
  assert.equal(await vary('/api/things'), undefined)
  const byCookie = { 'sec-fetch-dest': 'document', cookie: 'gateway_shell_excludes=deployments' }
  assert.equal(await vary('/deployments', byCookie), 'Sec-Fetch-Dest, Cookie')
})

test('a 404 that a route gives stays, and so does what another stage sends elsewhere', async (t) => {
  const { client } = await startShell(t, {
    routes: (server) => server.get('/assets/*', (_request, reply) => reply.code(404).send('no such asset')),
    stages: [
      {
        name: 'elsewhere',
        priority: 5,
        onRequest(exchange) {
          if (exchange.header('x-elsewhere') === undefined) return undefined
          exchange.destination = ({ reply }) => reply.code(404).send('not there either')
          return undefined
        },
      },
    ],
  })
  assert.equal((await client.send('GET', '/assets/main.js')).text, 'no such asset')
  const { text } = await client.send('GET', '/assets/main.js', { headers: { 'x-elsewhere': '1' } })
  assert.equal(text, 'not there either')
})

test('stages behind the shell hold for the files that no route has', async (t) => {
  const { client } = await startShell(t, {
    stages: [
      { name: 'limit', priority: 50, onRequest: () => ({ status: 429, headers: [], body: 'too many' }) },
    ],
  })
  assert.equal((await client.send('GET', '/assets/main.js')).status, 429)
  assert.equal((await client.send('GET', '/chunk-abc.js')).status, 200)
})

test('without a directory there is no stage, and nothing is served', async (t) => {
  const { client, shell } = await startShell(t, { dir: '' })
  assert.deepEqual(shell.stages, [])
  assert.equal(shell.view().enabled, false)
  assert.equal(shell.view().dir, null)
  const { status, headers } = await client.send('GET', '/', { headers: { 'sec-fetch-dest': 'document' } })
  assert.equal(status, 404)
  assert.equal(headers.vary, undefined)
})
