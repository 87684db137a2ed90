import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { type Client, ClientError, createClient } from '../../../sdk/client/index.js'
import { type AdminServer, createAdminServer } from '../../helpers/admin-server.js'
import { pluginDetails, routeListing } from '../../helpers/fake-administration.js'

let server: AdminServer
let url: string
let client: Client

before(async () => {
  server = await createAdminServer()
  url = await server.app.listen({ port: 0, host: '127.0.0.1' })
})

after(async () => {
  await server.app.close()
})

beforeEach(() => {
  client = createClient({ url, token: 'right-token' })
  server.administration.done.length = 0
  server.administration.plugins.set('notes', pluginDetails('notes'))
  server.administration.routeList = [routeListing('notes', 'GET', '/notes')]
})

const strangers: Server[] = []

afterEach(() => {
  for (const stranger of strangers.splice(0)) {
    stranger.closeAllConnections()
    stranger.close()
  }
})

async function listen(listener: RequestListener): Promise<string> {
  const stranger = createServer(listener)
  strangers.push(stranger)
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`
}

async function failureOf(work: Promise<unknown>): Promise<ClientError> {
  const thrown = await work.then(
    () => assert.fail('it succeeded'),
    (error: unknown) => error,
  )
  assert.ok(thrown instanceof ClientError, String(thrown))
  return thrown
}

test('every operation reaches the server and gives its answer', async () => {
  assert.deepEqual(
    (await client.plugins.list()).map(({ name }) => name),
    ['notes'],
  )
  assert.deepEqual(await client.plugins.get('notes'), pluginDetails('notes'))
  assert.deepEqual(await client.plugins.reload('notes'), { ok: true, plugin: 'notes' })
  assert.equal((await client.plugins.enable('notes')).state, 'running')
  assert.equal((await client.plugins.disable('notes')).state, 'stopped')
  server.administration.orphans = ['plugin_gone_a']
  assert.deepEqual((await client.plugins.cleanup()).orphaned_tables, ['plugin_gone_a'])
  assert.deepEqual(await client.plugins.dropTables(['plugin_gone_a']), {
    dropped: ['plugin_gone_a'],
    count: 1,
  })
  const routes = await client.routes.list()
  assert.deepEqual(routes, server.administration.routeList)
  await client.routes.approve(routes)
  await client.routes.revoke(routes)
  assert.deepEqual(await client.plugins.resetBreaker('notes'), {
    ok: true,
    plugin: 'notes',
    circuit_breaker_state: 'closed',
  })
  assert.deepEqual((await client.metrics())[0]?.samples, [{ labels: { plugin: 'notes' }, value: 1 }])
  assert.deepEqual(await client.health(), { status: 'ok' })
  assert.deepEqual(server.administration.done, [
    'reload notes by root',
    'enable notes by root',
    'disable notes by root',
    'drop plugin_gone_a by root',
    'approve notes GET /notes by root',
    'revoke notes GET /notes by root',
    'reset breaker of notes by root',
  ])
})

test('a failure carries status, code, message and request id', async () => {
  const error = await failureOf(client.plugins.get('ghost/../x'))
  assert.equal(error.status, 404)
  assert.equal(error.code, 'PLUGIN_NOT_FOUND')
  assert.match(error.message, /ghost/)
  assert.ok(error.requestId)
  assert.deepEqual(error.problems, [])
})

test('a list that was refused in part names the parts', async () => {
  const ghost = { plugin: 'ghost', method: 'GET', path: '/' }
  const error = await failureOf(client.routes.approve([ghost]))
  assert.equal(error.status, 400)
  assert.deepEqual(error.problems, ['route GET / of ghost not found'])
})

test('a wrong token is UNAUTHORIZED, and none at all too', async () => {
  for (const token of ['wrong', undefined]) {
    const error = await failureOf(createClient({ url, token }).plugins.list())
    assert.equal(error.status, 401)
    assert.equal(error.code, 'UNAUTHORIZED')
  }
})

test('a refused connection says where no server runs and how to start one', async () => {
  const free = await listen(() => undefined)
  await new Promise((resolve) => strangers.pop()?.close(resolve))
  const error = await failureOf(createClient({ url: free, token: 't' }).plugins.list())
  assert.equal(error.status, 0)
  assert.equal(error.code, 'SERVER_UNREACHABLE')
  assert.ok(error.message.includes(free))
  assert.match(error.message, /connection was refused.*modulacms serve/)
})

test('a server that does not answer in time is left', async () => {
  const slow = await listen(() => undefined)
  const error = await failureOf(createClient({ url: slow, token: 't', timeoutMs: 50 }).plugins.list())
  assert.equal(error.code, 'REQUEST_TIMEOUT')
  assert.match(error.message, /50 ms/)
})

test('a body that stops half-way is left in time as well', async () => {
  const slow = await listen((_request, response) => {
    response.write('{"plugins":')
  })
  const error = await failureOf(createClient({ url: slow, token: 't', timeoutMs: 100 }).plugins.list())
  assert.equal(error.code, 'REQUEST_TIMEOUT')
})

test('something that is no modulacms server is named as such', async () => {
  for (const [status, body] of [
    [200, '<html>'],
    [500, '<html>'],
    [404, '{"error":"text"}'],
    [502, '[]'],
    [400, 'null'],
  ] as const) {
    const other = await listen((_request, response) => response.writeHead(status).end(body))
    const error = await failureOf(createClient({ url: other, token: 't' }).plugins.list())
    assert.equal(error.code, 'INVALID_RESPONSE')
    assert.equal(error.status, status)
    assert.match(error.message, /is it a modulacms server/)
  }
})

test('a redirect is not followed, so that the token stays with the server it was meant for', async () => {
  const seen: (string | undefined)[] = []
  const thief = await listen((request, response) => {
    seen.push(request.headers.authorization)
    response.end('{}')
  })
  const redirecting = await listen((_request, response) => response.writeHead(307, { location: thief }).end())
  await failureOf(createClient({ url: redirecting, token: 'secret' }).plugins.list())
  assert.deepEqual(seen, [])
})

test('an unwell server tells its health with 503', async () => {
  const unwell = await listen((_request, response) => response.writeHead(503).end('{"status":"degraded"}'))
  assert.deepEqual(await createClient({ url: unwell }).health(), { status: 'degraded' })
})

test('a path prefix of the address is kept', async () => {
  const paths: (string | undefined)[] = []
  const behindProxy = await listen((request, response) => {
    paths.push(request.url)
    response.end('{"plugins":[]}')
  })
  await createClient({ url: `${behindProxy}/cms/`, token: 't' }).plugins.list()
  assert.deepEqual(paths, ['/cms/api/v1/admin/plugins'])
})

test('options that cannot be right are refused at once, and no message shows a token', () => {
  const failing = (work: () => unknown, code: string) =>
    assert.throws(work, (error) => {
      assert.ok(error instanceof ClientError)
      assert.equal(error.code, code)
      assert.ok(!error.message.includes('s3cret'))
      return true
    })
  failing(() => createClient({ url: 'localhost:8080' }), 'INVALID_URL')
  failing(() => createClient({ url: '', token: 'x' }), 'INVALID_URL')
  failing(() => createClient({ url, token: '' }), 'INVALID_TOKEN')
  failing(() => createClient({ url, token: 's3cret\nx' }), 'INVALID_TOKEN')
})
