import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { createClient } from '../../../sdk/client/index.js'
import { adminLimits } from '../../../src/base/limits/server.js'
import { type AdminServer, createAdminServer } from '../../helpers/admin-server.js'
import { grantListing, pluginDetails } from '../../helpers/fake-administration.js'

let server: AdminServer

beforeEach(async () => {
  server = await createAdminServer()
  server.administration.plugins.set('notes', pluginDetails('notes'))
  server.administration.grantList = [
    grantListing('notes', 'hook', 'before_create:posts'),
    grantListing('notes', 'domain', 'api.example.com', { description: 'weather' }),
    grantListing('notes', 'core', 'content_data:read'),
    grantListing('notes', 'kv', 'config:read'),
    grantListing('notes', 'stage', 'request /admin', { description: 'guards' }),
    grantListing('notes', 'gateway', 'log:read'),
  ]
})

afterEach(async () => {
  await server.app.close()
})

async function ask(method: 'GET' | 'POST', path: string, payload?: object) {
  const response = await server.app.inject({
    method,
    url: `/api/v1/admin${path}`,
    headers: { authorization: 'Bearer right-token' },
    ...(payload === undefined ? {} : { payload }),
  })
  return { status: response.statusCode, body: response.json() }
}

const kinds = [
  {
    path: 'hooks',
    reference: { plugin: 'notes', event: 'before_create', table: 'posts' },
    ghost: { plugin: 'notes', event: 'before_delete', table: 'posts' },
    name: 'hook before_create:posts',
  },
  {
    path: 'requests',
    reference: { plugin: 'notes', domain: 'api.example.com' },
    ghost: { plugin: 'notes', domain: 'evil.example' },
    name: 'domain api.example.com',
  },
  {
    path: 'core',
    reference: { plugin: 'notes', table: 'content_data', access: 'read' },
    ghost: { plugin: 'notes', table: 'content_data', access: 'write' },
    name: 'core content_data:read',
  },
  {
    path: 'kv',
    reference: { plugin: 'notes', namespace: 'config', access: 'read' },
    ghost: { plugin: 'notes', namespace: 'config', access: 'write' },
    name: 'kv config:read',
  },
  {
    path: 'stages',
    reference: { plugin: 'notes', stage: 'request /admin' },
    ghost: { plugin: 'notes', stage: 'request /' },
    name: 'stage request /admin',
  },
  {
    path: 'gateway-access',
    reference: { plugin: 'notes', access: 'log:read' },
    ghost: { plugin: 'notes', access: 'shell:write' },
    name: 'gateway log:read',
  },
]

for (const { path, reference, ghost, name } of kinds) {
  const member = path.replaceAll('-', '_')

  test(`${path} are listed, approved and revoked, and unknown ones named while the others are applied`, async () => {
    const list = async () => (await ask('GET', `/plugins/${path}`)).body[member]
    assert.deepEqual(
      (await list()).map(({ approved }: { approved: boolean }) => approved),
      [false],
    )
    const partly = await ask('POST', `/plugins/${path}/approve`, { [member]: [ghost, reference] })
    assert.equal(partly.status, 400)
    assert.equal(partly.body.error.code, 'GRANTS_NOT_FOUND')
    assert.match(partly.body.error.message, /^1 of 2 /)
    assert.equal(partly.body.errors.length, 1)
    assert.equal((await list())[0].approved, true)
    const revoked = await ask('POST', `/plugins/${path}/revoke`, { [member]: [reference] })
    assert.deepEqual(revoked, { status: 200, body: { ok: true } })
    assert.deepEqual(server.administration.done, [
      `approve notes ${name} by root`,
      `revoke notes ${name} by root`,
    ])
    const actions = server.lines.map(([level, message, fields]) => [level, message, fields.action])
    assert.deepEqual(actions, [
      ['warn', 'admin action failed', 'grant.approve'],
      ['info', 'admin action', 'grant.revoke'],
    ])
  })

  test(`${path}: bodies of another form change nothing`, async () => {
    const { plugin: _plugin, ...nameless } = reference
    const bodies = [
      {},
      { [member]: reference },
      { [member]: [nameless] },
      { [member]: [{ ...reference, approved: true }] },
      { [member]: [reference], all: true },
      { [member]: Array.from({ length: adminLimits.itemsMax + 1 }, () => reference) },
    ]
    for (const body of bodies) {
      const { status } = await ask('POST', `/plugins/${path}/approve`, body)
      assert.equal(status, 400, JSON.stringify(body).slice(0, 80))
    }
    assert.deepEqual((await ask('POST', `/plugins/${path}/approve`, { [member]: [] })).body, { ok: true })
    assert.deepEqual(server.administration.done, [])
  })

  test(`${path}: only admins list and change them`, async () => {
    for (const authorization of ['', 'Bearer viewer-token', 'Bearer wrong']) {
      for (const [method, action] of [
        ['GET', ''],
        ['POST', '/approve'],
        ['POST', '/revoke'],
      ] as const) {
        const response = await server.app.inject({
          method,
          url: `/api/v1/admin/plugins/${path}${action}`,
          headers: { authorization },
          ...(method === 'POST' ? { payload: { [member]: [reference] } } : {}),
        })
        assert.ok([401, 403].includes(response.statusCode))
      }
    }
    assert.deepEqual(server.administration.done, [])
  })
}

test('an access that is neither read nor write is refused', async () => {
  const core = [{ plugin: 'notes', table: 'content_data', access: 'all' }]
  assert.equal((await ask('POST', '/plugins/core/approve', { core })).status, 400)
  const kv = [{ plugin: 'notes', namespace: 'config', access: 'all' }]
  assert.equal((await ask('POST', '/plugins/kv/approve', { kv })).status, 400)
  const gateway_access = [{ plugin: 'notes', access: 'log:write' }]
  assert.equal((await ask('POST', '/plugins/gateway-access/approve', { gateway_access })).status, 400)
  assert.deepEqual(server.administration.done, [])
})

test('the comparison names the source, and an approval for another one is refused', async () => {
  const { status, body } = await ask('GET', '/plugins/notes/diff')
  assert.equal(status, 200)
  assert.deepEqual(
    body.waiting.map(({ kind }: { kind: string }) => kind),
    ['hook', 'domain', 'core', 'kv', 'stage', 'gateway'],
  )
  const stale = { plugin: 'notes', domain: 'api.example.com', content_hash: 'cd'.repeat(32) }
  assert.equal((await ask('POST', '/plugins/requests/approve', { requests: [stale] })).status, 400)
  const current = { ...stale, content_hash: body.content_hash }
  assert.equal((await ask('POST', '/plugins/requests/approve', { requests: [current] })).status, 200)
  assert.equal((await ask('GET', '/plugins/ghost/diff')).status, 404)
})

test('pipelines show what fires in order, with the names of the fields as they are known', async () => {
  const step = {
    id: 'notes:before_create:posts#1',
    plugin: 'notes',
    handler: 'before_create:posts#1',
    table: 'posts',
    operation: 'create',
    phase: 'before' as const,
    priority: 10,
  }
  server.administration.steps = [{ ...step, disabledBy: 'not_approved' }]
  server.administration.chains = [
    { table: 'posts', operation: 'create', phase: 'before', steps: [{ ...step, disabledBy: undefined }] },
  ]
  assert.deepEqual((await ask('GET', '/pipelines')).body, {
    pipelines: [
      {
        pipeline_id: step.id,
        table_name: 'posts',
        operation: 'create',
        phase: 'before',
        plugin_name: 'notes',
        handler: step.handler,
        priority: 10,
        enabled: false,
        disabled_reason: 'not_approved',
      },
    ],
    count: 1,
    source: 'registry',
  })
  const entry = {
    PipelineID: step.id,
    PluginName: 'notes',
    Handler: step.handler,
    Table: 'posts',
    Priority: 10,
    Enabled: true,
  }
  assert.deepEqual((await ask('GET', '/pipelines/dry-run?table=posts&op=create')).body, {
    chains: [{ table: 'posts', operation: 'create', phase: 'before', entries: [entry] }],
    count: 1,
    source: 'registry',
  })
  assert.deepEqual(server.administration.lastQuery, { table: 'posts', operation: 'create' })
  assert.equal((await ask('GET', '/pipelines/dry-run')).status, 200)
  assert.deepEqual(server.administration.lastQuery, {})
  assert.equal((await ask('GET', '/pipelines/dry-run?tabel=posts')).status, 400)
})

test('capabilities are shown and stored for a plugin that exists', async () => {
  assert.equal((await ask('GET', '/plugins/notes/capabilities')).status, 200)
  assert.equal((await ask('GET', '/plugins/ghost/capabilities')).status, 404)
  const synced = await ask('POST', '/plugins/notes/sync-capabilities')
  assert.deepEqual(synced.body, { ok: true, plugin: 'notes' })
  assert.equal((await ask('POST', '/plugins/ghost/sync-capabilities')).status, 404)
})

test('the typed client speaks all of it', async () => {
  const url = await server.app.listen({ port: 0, host: '127.0.0.1' })
  const client = createClient({ url, token: 'right-token' })
  const diff = await client.plugins.diff('notes')
  const owner = { plugin: 'notes', content_hash: diff.content_hash }
  await client.hooks.approve([{ ...owner, event: 'before_create', table: 'posts' }])
  await client.requests.approve([{ ...owner, domain: 'api.example.com' }])
  await client.core.approve([{ ...owner, table: 'content_data', access: 'read' }])
  await client.kvAccess.approve([{ ...owner, namespace: 'config', access: 'read' }])
  await client.stages.approve([{ ...owner, stage: 'request /admin' }])
  await client.gatewayAccess.approve([{ ...owner, access: 'log:read' }])
  const [hooks, requests, core, kv, stages, gateway] = await Promise.all([
    client.hooks.list(),
    client.requests.list(),
    client.core.list(),
    client.kvAccess.list(),
    client.stages.list(),
    client.gatewayAccess.list(),
  ])
  const listed = [...hooks, ...requests, ...core, ...kv, ...stages, ...gateway]
  assert.deepEqual(
    listed.map(({ approved }) => approved),
    [true, true, true, true, true, true],
  )
  await client.gatewayAccess.revoke([{ plugin: 'notes', access: 'log:read' }])
  assert.equal((await client.gatewayAccess.list())[0]?.approved, false)
  await client.core.revoke([{ plugin: 'notes', table: 'content_data', access: 'read' }])
  assert.equal((await client.core.list())[0]?.approved, false)
  assert.deepEqual(await client.pipelines.list(), [])
  await client.pipelines.dryRun({ table: 'a b', operation: 'create' })
  assert.deepEqual(server.administration.lastQuery, { table: 'a b', operation: 'create' })
  assert.equal((await client.plugins.capabilities('notes')).plugin, 'notes')
  assert.equal((await client.plugins.syncCapabilities('notes')).ok, true)
})
