import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import Sqlite from 'better-sqlite3'
import { plugin, type TestHost, useHost } from '../helpers/create-host.js'
import { install } from '../helpers/installed-plugins.js'

interface CoreList {
  readonly core: readonly {
    readonly plugin_name: string
    readonly table: string
    readonly access: string
    readonly approved: boolean
  }[]
}

interface Diff {
  readonly content_hash: string
  readonly waiting: readonly { readonly kind: string; readonly key: string }[]
  readonly approved: readonly { readonly key: string }[]
  readonly dropped: readonly { readonly key: string; readonly approved_by: string }[]
}

const access = 'core_access = { content_data = { "read", "write" }, users = { "read" } }'
const source = (name: string, version = '1.0.0', more = access) => ({
  [`${name}/init.lua`]: plugin(name, 'function on_init() end', version, more),
})
const readOf = (name: string) => ({ plugin: name, table: 'content_data', access: 'read' })

/** The plugin of the name that the admin API needs is there from the start. */
const shared = useHost({ plugins: { 'core/init.lua': plugin('core', '') }, approve: false })

async function approvedOf(server: TestHost, name: string): Promise<readonly string[]> {
  const { core } = await server.admin<CoreList>('GET', '/core')
  return core
    .filter(({ plugin_name, approved }) => plugin_name === name && approved)
    .map((one) => `${one.table}:${one.access}`)
}

/** What the plugin is allowed in truth: what capabilities ask. */
function isGranted(server: TestHost, name: string, key: string): boolean {
  const { plugins } = server.host
  assert.ok('find' in plugins)
  const found = (plugins as unknown as { find(name: string): { grants: GrantsOfPlugin } }).find(name)
  return found.grants.isApproved('core', key)
}

interface GrantsOfPlugin {
  isApproved(kind: 'core', key: string): boolean
}

it('approves no core table by itself, then exactly what is named, at once', async (test) => {
  const server = shared()
  const read = readOf('first')
  await install(test, server, source('first'), { approve: false })
  assert.deepEqual(await approvedOf(server, 'first'), [])
  assert.equal(isGranted(server, 'first', 'content_data:read'), false)
  const ghost = { ...read, table: 'tokens' }
  const partly = await server.admin<{ errors: string[] }>('POST', '/core/approve', {
    json: { core: [ghost, read] },
    status: 400,
  })
  assert.match(partly.errors.join(), /core access tokens:read of plugin "first" not found/)
  assert.deepEqual(await approvedOf(server, 'first'), ['content_data:read'])
  assert.equal(isGranted(server, 'first', 'content_data:read'), true)
  assert.equal(isGranted(server, 'first', 'content_data:write'), false)
  await server.admin('POST', '/core/revoke', { json: { core: [read] } })
  assert.equal(isGranted(server, 'first', 'content_data:read'), false)
})

it('keeps approvals over reload, disable, enable and restart, and ends them with the version', async (test) => {
  const server = shared()
  const read = readOf('kept')
  await install(test, server, source('kept'), { approve: false })
  await server.admin('POST', '/core/approve', { json: { core: [read] } })
  await server.admin('POST', '/kept/reload')
  await server.admin('POST', '/kept/disable')
  await server.admin('POST', '/kept/enable')
  assert.equal(isGranted(server, 'kept', 'content_data:read'), true)
  await server.restart()
  assert.deepEqual(await approvedOf(server, 'kept'), ['content_data:read'])
  await server.write(source('kept', '2.0.0'))
  await server.admin('POST', '/kept/reload')
  assert.deepEqual(await approvedOf(server, 'kept'), [])
  await server.write(source('kept', '1.0.0'))
  await server.restart()
  assert.deepEqual(await approvedOf(server, 'kept'), [], 'an old version does not bring its approvals back')
})

it('does not let a failed load, or rows put into another plugin, change what is approved', async (test) => {
  const server = shared()
  const read = readOf('failing')
  await install(test, server, source('failing'), { approve: false })
  await server.admin('POST', '/core/approve', { json: { core: [read] } })
  await server.write({
    'failing/init.lua': plugin('failing', 'function on_init() error("boom") end', '2.0.0'),
  })
  await server.admin('POST', '/failing/reload', { status: 500 })
  assert.equal(isGranted(server, 'failing', 'content_data:read'), true)
  await server.write(source('failing', '1.0.0', 'core_access = { ["content_data; drop"] = { "read" } }'))
  await server.admin('POST', '/failing/reload', { status: 500 })
  assert.deepEqual(await approvedOf(server, 'failing'), ['content_data:read'])
})

it('compares what is asked for with what was approved, and refuses an approval of another source', async (test) => {
  const server = shared()
  const read = readOf('compared')
  await install(test, server, source('compared'), { approve: false })
  const diff = () => server.admin<Diff>('GET', '/compared/diff')
  const first = await diff()
  assert.deepEqual(first.waiting.map(({ kind, key }) => `${kind} ${key}`).sort(), [
    'core content_data:read',
    'core content_data:write',
    'core users:read',
  ])
  const item = { ...read, content_hash: first.content_hash }
  await server.admin('POST', '/core/approve', { json: { core: [item] } })
  await server.write(source('compared', '1.0.0', 'core_access = { users = { "read" } }'))
  await server.admin('POST', '/compared/reload')
  await server.restart({ approve: false })
  const second = await diff()
  assert.deepEqual(
    second.dropped.map(({ key, approved_by }) => [key, approved_by.length > 0]),
    [['content_data:read', true]],
  )
  const users = { plugin: 'compared', table: 'users', access: 'read' }
  const stale = { ...users, content_hash: first.content_hash }
  const refused = await server.admin<{ errors: string[] }>('POST', '/core/approve', {
    json: { core: [stale] },
    status: 400,
  })
  assert.match(refused.errors[0] ?? '', /no longer the one that was looked at/)
  assert.deepEqual(await approvedOf(server, 'compared'), [])
  await server.admin('POST', '/core/approve', { json: { core: [users] } })
  assert.deepEqual((await diff()).dropped, [])
})

it('approves concurrently with reloads without ever granting what nobody approved', async (test) => {
  const server = shared()
  const read = readOf('raced')
  await install(test, server, source('raced'), { approve: false })
  for (const version of ['2.0.0', '3.0.0', '4.0.0']) {
    await server.write(source('raced', version))
    const { content_hash } = await server.admin<Diff>('GET', '/raced/diff')
    const before = { ...read, content_hash }
    await Promise.all([
      server.send('POST', '/api/v1/admin/plugins/core/approve', {
        headers: server.credentials,
        json: { core: [before] },
      }),
      server.admin('POST', '/raced/reload'),
    ])
    assert.deepEqual(await approvedOf(server, 'raced'), [], 'the approval was for the version before')
  }
  const database = new Sqlite(join(server.dataDirectory, 'modula.db'), { readonly: true })
  const rows = database
    .prepare('SELECT key FROM plugin_grants WHERE approved = 1 AND plugin_name = ?')
    .all('raced')
  database.close()
  assert.deepEqual(rows, [])
})

it('reserves the name that the admin API needs', async () => {
  const server = shared()
  const list = await server.admin<{ plugins: { name: string; state: string }[] }>('GET', '')
  assert.deepEqual(
    list.plugins.filter(({ name }) => name === 'core').map(({ name, state }) => `${name} ${state}`),
    ['core failed'],
  )
})

it('shows capabilities of a manifest, and ends their drift when they are stored', async (test) => {
  const offer = 'capabilities = { { table = "posts", op = "create", handler = "check", priority = 5 } }'
  const server = shared()
  await install(test, server, source('capable', '1.0.0', offer), { approve: false })
  interface Report {
    readonly capabilities: readonly unknown[]
    readonly drift: readonly { readonly kind: string }[]
  }
  const report = () => server.admin<Report>('GET', '/capable/capabilities')
  assert.deepEqual((await report()).drift, [])
  const failing = { 'capable/init.lua': plugin('capable', 'function on_init() error("x") end', '2.0.0') }
  await server.write(failing)
  await server.admin('POST', '/capable/reload', { status: 500 })
  assert.deepEqual(
    (await report()).drift.map(({ kind }) => kind),
    ['added'],
    'the failed load has stored its own',
  )
  await server.admin('POST', '/capable/sync-capabilities')
  assert.deepEqual((await report()).drift, [])
  await server.admin('POST', '/capable/disable')
  await server.admin('POST', '/capable/sync-capabilities', { status: 409 })
  await server.admin('POST', '/ghost/sync-capabilities', { status: 404 })
})
