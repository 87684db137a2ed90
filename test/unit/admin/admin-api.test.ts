import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { HostError } from '../../../src/base/errors.js'
import { adminLimits } from '../../../src/base/limits/server.js'
import { type AdminServer, createAdminServer } from '../../helpers/admin-server.js'
import { pluginDetails, routeListing } from '../../helpers/fake-administration.js'

let server: AdminServer

beforeEach(async () => {
  server = await createAdminServer()
  server.administration.plugins.set('notes', pluginDetails('notes'))
  server.administration.routeList = [
    routeListing('notes', 'GET', '/notes', { public: true }),
    routeListing('notes', 'POST', '/notes'),
  ]
})

afterEach(async () => {
  await server.app.close()
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: {
    readonly error?: { readonly code: string; readonly message: string; readonly request_id: string }
    readonly [key: string]: unknown
  }
  readonly text: string
}

async function ask(
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  payload?: unknown,
  headers: Record<string, string> = { authorization: 'Bearer right-token' },
): Promise<Answer> {
  const response = await server.app.inject({
    method,
    url: `/api/v1/admin${path}`,
    headers: { ...(typeof payload === 'string' ? { 'content-type': 'application/json' } : {}), ...headers },
    ...(payload === undefined ? {} : { payload: payload as object }),
  })
  return {
    status: response.statusCode,
    headers: response.headers,
    body: response.json(),
    text: response.body,
  }
}

function assertFailure(answer: Answer, status: number, code: string): string {
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.body.error?.code, code)
  assert.ok(answer.body.error?.request_id)
  return answer.body.error.message
}

const everyOperation = [
  ['GET', '/plugins/notes/migrations'],
  ['POST', '/plugins/notes/migrations/up'],
  ['POST', '/plugins/notes/migrations/down'],
  ['POST', '/plugins/notes/migrations/adopt'],
  ['GET', '/plugins'],
  ['GET', '/plugins/notes'],
  ['POST', '/plugins/notes/reload'],
  ['POST', '/plugins/notes/enable'],
  ['POST', '/plugins/notes/disable'],
  ['GET', '/plugins/cleanup'],
  ['POST', '/plugins/cleanup'],
  ['GET', '/plugins/routes'],
  ['POST', '/plugins/routes/approve'],
  ['POST', '/plugins/routes/revoke'],
  ['GET', '/plugins/hooks'],
  ['POST', '/plugins/hooks/approve'],
  ['GET', '/plugins/notes/diff'],
  ['GET', '/plugins/notes/capabilities'],
  ['POST', '/plugins/notes/sync-capabilities'],
  ['GET', '/pipelines'],
  ['GET', '/pipelines/dry-run'],
  ['GET', '/nothing/here'],
  ['PUT', '/plugins'],
] as const

test('every path needs a bearer credential, also paths that do not exist, and nothing is done without', async () => {
  for (const [method, path] of everyOperation) {
    for (const headers of [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: 'Bearer ' },
      { authorization: 'right-token' },
      { authorization: 'Basic right-token' },
      { cookie: 'session=right-token' },
    ] as Record<string, string>[]) {
      const answer = await ask(method, path, undefined, headers)
      assertFailure(answer, 401, 'UNAUTHORIZED')
      assert.equal(answer.headers['www-authenticate'], 'Bearer')
    }
  }
  assert.deepEqual(server.administration.done, [])
  assert.deepEqual(server.lines, [])
})

test('a user without the admin role is refused', async () => {
  for (const [method, path] of everyOperation) {
    const answer = await ask(method, path, undefined, { authorization: 'Bearer viewer-token' })
    assert.match(
      assertFailure(answer, 403, 'FORBIDDEN'),
      /"vera" does not have the permission "[a-z]+:[a-z]+"/,
    )
  }
  assert.deepEqual(server.administration.done, [])
})

test('a body is not read before the credential is checked', async () => {
  const answer = await ask('POST', '/plugins/routes/approve', '{broken', {})
  assertFailure(answer, 401, 'UNAUTHORIZED')
})

test('the list has one line for each plugin, and is empty when there is none', async () => {
  const { plugins } = (await ask('GET', '/plugins')).body
  assert.deepEqual(plugins, [
    {
      name: 'notes',
      version: '1.0.0',
      description: 'The notes plugin.',
      state: 'running',
      circuit_breaker_state: 'closed',
      quarantined: false,
    },
  ])
  server.administration.plugins.clear()
  assert.deepEqual((await ask('GET', '/plugins')).body, { plugins: [] })
})

test('the details have every field that is known and leave out the others', async () => {
  const drift = [{ table: 'plugin_notes_notes', kind: 'missing' as const, column: 'title' }]
  server.administration.plugins.set(
    'notes',
    pluginDetails('notes', {
      state: 'failed',
      failed_reason: 'on_init failed: x',
      schema_drift: drift,
      author: 'Ann',
    }),
  )
  const { body, headers } = await ask('GET', '/plugins/notes')
  assert.deepEqual(body, {
    ...pluginDetails('notes'),
    state: 'failed',
    failed_reason: 'on_init failed: x',
    schema_drift: drift,
    author: 'Ann',
  })
  assert.equal(headers['cache-control'], 'no-store')
  assert.ok(!('license' in body))
})

test('an unknown plugin is 404 for every operation on one plugin', async () => {
  for (const [method, action] of [
    ['GET', ''],
    ['POST', '/reload'],
    ['POST', '/enable'],
    ['POST', '/disable'],
  ] as const) {
    const message = assertFailure(await ask(method, `/plugins/ghost${action}`), 404, 'PLUGIN_NOT_FOUND')
    assert.match(message, /"ghost"/)
  }
})

test('reload, enable and disable answer with the state and are logged with who did it', async () => {
  assert.deepEqual((await ask('POST', '/plugins/notes/reload')).body, { ok: true, plugin: 'notes' })
  const enabled = await ask('POST', '/plugins/notes/enable')
  assert.deepEqual(enabled.body, { ok: true, plugin: 'notes', state: 'running' })
  const disabled = await ask('POST', '/plugins/notes/disable')
  assert.deepEqual(disabled.body, { ok: true, plugin: 'notes', state: 'stopped' })
  assert.deepEqual(server.administration.done, [
    'reload notes by root',
    'enable notes by root',
    'disable notes by root',
  ])
  assert.deepEqual(
    server.lines.map(([level, , { action, actor, plugin }]) => [level, action, actor, plugin]),
    [
      ['info', 'plugin.reload', 'root', 'notes'],
      ['info', 'plugin.enable', 'root', 'notes'],
      ['info', 'plugin.disable', 'root', 'notes'],
    ],
  )
})

test('a failed load answers a fixed text, and its Lua text is only in the log', async () => {
  server.administration.failure = new HostError('PLUGIN_LOAD_FAILED', 500, 'init.lua:3: /srv/secret exploded')
  const answer = await ask('POST', '/plugins/notes/reload')
  assert.match(assertFailure(answer, 500, 'PLUGIN_LOAD_FAILED'), /failed_reason/)
  assert.doesNotMatch(answer.text, /secret|init\.lua/)
  const error = server.lines.find(([level]) => level === 'error')?.[2]
  assert.match(String(error?.err), /init\.lua:3/)
  assert.equal(error?.request_id, answer.body.error?.request_id)
})

test('an unexpected error answers a fixed text', async () => {
  server.administration.failure = new Error('SELECT * FROM secrets')
  const answer = await ask('POST', '/plugins/notes/enable')
  assertFailure(answer, 500, 'INTERNAL_ERROR')
  assert.doesNotMatch(answer.text, /SELECT/)
})

test('an error may name the time after which to try again', async () => {
  server.administration.failure = new HostError('RELOAD_BUSY', 429, 'busy', { retryAfterSeconds: 10 })
  const answer = await ask('POST', '/plugins/notes/reload')
  assertFailure(answer, 429, 'RELOAD_BUSY')
  assert.equal(answer.headers['retry-after'], '10')
})

test('routes are listed with their approval', async () => {
  const { routes } = (await ask('GET', '/plugins/routes')).body
  assert.deepEqual(routes, server.administration.routeList)
})

test('approve and revoke change exactly the named routes', async () => {
  const reference = { plugin: 'notes', method: 'GET', path: '/notes' }
  assert.deepEqual((await ask('POST', '/plugins/routes/approve', { routes: [reference] })).body, { ok: true })
  assert.deepEqual(
    server.administration.routeList.map(({ approved }) => approved),
    [true, false],
  )
  assert.deepEqual((await ask('POST', '/plugins/routes/revoke', { routes: [reference] })).body, { ok: true })
  assert.deepEqual(
    server.administration.routeList.map(({ approved }) => approved),
    [false, false],
  )
  assert.deepEqual(server.lines[0]?.[2].routes, ['notes: GET /notes'])
})

test('an empty list of routes is fine', async () => {
  for (const action of ['approve', 'revoke']) {
    assert.deepEqual((await ask('POST', `/plugins/routes/${action}`, { routes: [] })).body, { ok: true })
  }
})

test('unknown routes are named while the others are approved', async () => {
  const routes = [
    { plugin: 'notes', method: 'DELETE', path: '/notes' },
    { plugin: 'notes', method: 'POST', path: '/notes' },
    { plugin: 'ghost', method: 'GET', path: '/' },
  ]
  const answer = await ask('POST', '/plugins/routes/approve', { routes })
  assert.match(assertFailure(answer, 400, 'ROUTES_NOT_FOUND'), /2 of 3 routes could not be approved/)
  assert.deepEqual(answer.body.errors, [
    'route DELETE /notes of notes not found',
    'route GET / of ghost not found',
  ])
  assert.deepEqual(server.administration.done, ['approve notes POST /notes by root'])
  assert.equal(server.lines.at(-1)?.[0], 'warn')
})

test('cleanup lists first, and drops only what is orphaned and confirmed', async () => {
  server.administration.orphans = ['plugin_gone_a', 'plugin_gone_b']
  assert.deepEqual((await ask('GET', '/plugins/cleanup')).body, {
    orphaned_tables: ['plugin_gone_a', 'plugin_gone_b'],
    count: 2,
    action: 'dry_run',
  })
  assert.deepEqual(server.administration.done, [])
  const answer = await ask('POST', '/plugins/cleanup', {
    confirm: true,
    tables: ['plugin_gone_a', 'plugins'],
  })
  assert.deepEqual(answer.body, { dropped: ['plugin_gone_a'], count: 1 })
  assert.deepEqual(server.lines[0]?.[2].tables, ['plugin_gone_a', 'plugins'])
})

test('all problems of a body are named at once and nothing is done', async () => {
  const cases: [string, unknown, RegExp[]][] = [
    ['/plugins/cleanup', {}, [/lacks the key "confirm"/, /lacks the key "tables"/]],
    [
      '/plugins/cleanup',
      { confirm: false, tables: [] },
      [/body\.confirm must be true/, /body\.tables must NOT have/],
    ],
    ['/plugins/cleanup', { confirm: 'true', tables: ['a'] }, [/body\.confirm/]],
    ['/plugins/cleanup', { confirm: true, tables: ['a'], force: 1 }, [/unknown key "force"/]],
    ['/plugins/cleanup', { confirm: true, tables: 'a' }, [/body\.tables must be array/]],
    ['/plugins/routes/approve', [], [/body must be object/]],
    ['/plugins/routes/approve', 'null', [/body must be object/]],
    ['/plugins/routes/approve', undefined, [/body must be object/]],
    [
      '/plugins/routes/revoke',
      { routes: [{ plugin: 'notes', method: 1, path: '/', approved: true }, {}] },
      [
        /body\.routes\[0\]\.method must be string/,
        /body\.routes\[0\] has the unknown key "approved"/,
        /routes\[1\] lacks/,
      ],
    ],
    ['/plugins/routes/approve', '{"routes": [', [/could not be read/]],
    ['/plugins/routes/approve', '', [/empty/]],
  ]
  for (const [path, payload, expected] of cases) {
    const message = assertFailure(await ask('POST', path, payload), 400, 'INVALID_REQUEST')
    for (const pattern of expected) assert.match(message, pattern)
  }
  assert.deepEqual(server.administration.done, [])
})

test('a long list of problems is cut', async () => {
  const routes = Array.from({ length: 30 }, () => ({ plugin: 1, method: 'GET', path: '/' }))
  const message = assertFailure(
    await ask('POST', '/plugins/routes/approve', { routes }),
    400,
    'INVALID_REQUEST',
  )
  assert.match(message, new RegExp(`and ${30 - adminLimits.problemsMax} more$`))
})

test('at most 1000 items are taken', async () => {
  const route = { plugin: 'ghost', method: 'GET', path: '/' }
  const at = await ask('POST', '/plugins/routes/revoke', { routes: Array(adminLimits.itemsMax).fill(route) })
  assertFailure(at, 400, 'ROUTES_NOT_FOUND')
  const above = await ask('POST', '/plugins/routes/revoke', {
    routes: Array(adminLimits.itemsMax + 1).fill(route),
  })
  assert.match(
    assertFailure(above, 400, 'INVALID_REQUEST'),
    /body\.routes must NOT have more than 1000 items/,
  )
})

test('a body above 1 MiB is 413 and names the limit', async () => {
  const padding = 'x'.repeat(adminLimits.bodyBytesMax)
  const answer = await ask('POST', '/plugins/cleanup', { confirm: true, tables: [padding] })
  assert.match(assertFailure(answer, 413, 'INVALID_REQUEST'), /1048576/)
  assert.deepEqual(server.administration.done, [])
})

test('a body that is not JSON by its type is 415', async () => {
  const headers = { authorization: 'Bearer right-token', 'content-type': 'text/plain' }
  const answer = await ask('POST', '/plugins/routes/approve', 'routes', headers)
  assert.match(assertFailure(answer, 415, 'INVALID_REQUEST'), /application\/json/)
})

test('an unknown path or method below the prefix is 404', async () => {
  assert.match(
    assertFailure(await ask('GET', '/nothing?x=1'), 404, 'NOT_FOUND'),
    /GET \/api\/v1\/admin\/nothing;/,
  )
  assertFailure(await ask('PUT', '/plugins'), 404, 'NOT_FOUND')
})

test('the defaults of the surrounding application stay as they are', async () => {
  const response = await server.app.inject({ url: '/other' })
  assert.equal(response.statusCode, 404)
  assert.equal(response.json().error, 'Not Found')
  assert.equal(response.headers['cache-control'], undefined)
})
