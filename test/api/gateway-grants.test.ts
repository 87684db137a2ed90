import assert from 'node:assert/strict'
import { it } from 'node:test'
import { plugin, useHost } from '../helpers/create-host.js'
import { install } from '../helpers/installed-plugins.js'

const asking = (name: string, version: string, access: string) => ({
  [`${name}/init.lua`]: plugin(name, '', version, `gateway_access = { ${access} }`),
})
const source = (version: string) => asking('watcher', version, '"log:read", "shell:write"')

const host = useHost({ plugins: {}, approve: false })

it('grants access to the gateway as it was approved: access, version and time', async (t) => {
  const server = host()
  await install(t, server, source('1.0.0'), { approve: false })
  const granted = () => {
    const grants = server.host.plugins.asked.gatewayAccess()
    return grants.filter(({ approved }) => approved).map(({ access }) => access)
  }
  const logs = { gateway_access: [{ plugin: 'watcher', access: 'log:read' }] }
  assert.deepEqual(granted(), [], 'nothing is approved by itself')
  const unasked = { gateway_access: [{ plugin: 'watcher', access: 'stats:read' }] }
  await server.admin('POST', '/gateway-access/approve', { json: unasked, status: 400 })
  await server.admin('POST', '/gateway-access/approve', { json: logs })
  assert.deepEqual(granted(), ['log:read'])
  await server.restart({ approve: false })
  assert.deepEqual(granted(), ['log:read'], 'a restart ends nothing')
  await server.write(source('2.0.0'))
  await server.admin('POST', '/watcher/reload')
  assert.deepEqual(granted(), [], 'another version asks again')
  type Diff = { waiting: { kind: string; key: string; approved_before?: { plugin_version: string } }[] }
  const { waiting } = await server.admin<Diff>('GET', '/watcher/diff')
  assert.deepEqual(
    waiting.map(({ kind, key, approved_before: before }) => [kind, key, before?.plugin_version]),
    [
      ['gateway', 'log:read', '1.0.0'],
      ['gateway', 'shell:write', undefined],
    ],
  )
  await server.admin('POST', '/gateway-access/approve', { json: logs })
  await server.admin('POST', '/gateway-access/revoke', { json: logs })
  assert.deepEqual(granted(), [])
  const { gateway_access: listed } = await server.admin<{ gateway_access: unknown[] }>(
    'GET',
    '/gateway-access',
  )
  assert.deepEqual(listed[0], {
    plugin_name: 'watcher',
    access: 'log:read',
    description: 'reads who sent which request, with addresses and paths',
    approved: false,
    plugin_version: '2.0.0',
  })
  assert.equal(listed.length, 2)
  assert.deepEqual(await server.admin('GET', '/stages'), { stages: [] })
})

it('does not load a plugin that asks for what the gateway does not give', async (t) => {
  const server = host()
  await server.write(asking('writer', '1.0.0', '"log:write"'))
  t.after(() => server.remove('writer'))
  await server.admin('POST', '/writer/reload', { status: 500 })
  const failed = server.host.status().failed.find(({ name }) => name === 'writer')
  assert.match(
    failed?.reason ?? '',
    /gateway_access has "log:write", which is none of .*did you mean "log:read"\?/,
  )
  const asked = server.host.plugins.asked.gatewayAccess().map(({ plugin_name: name }) => name)
  assert.ok(!asked.includes('writer'))
})
