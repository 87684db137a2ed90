import assert from 'node:assert/strict'
import { it } from 'node:test'
import { plugin, type TestHost, useHost } from '../helpers/create-host.js'
import { install } from '../helpers/installed-plugins.js'

interface DryRun {
  readonly chains: readonly {
    readonly table: string
    readonly operation: string
    readonly phase: string
    readonly entries: readonly {
      readonly PluginName: string
      readonly Handler: string
      readonly Enabled: boolean
      readonly DisabledReason?: string
    }[]
  }[]
}

/** A hook that writes its own name behind those that ran before it. */
const hook = (name: string, table: string, priority: number) =>
  `hooks.on("before_create", "${table}", function(data)
    return { set = { trail = (data.trail or "") .. " ${name}" } }
  end, { priority = ${priority} })`

/** Three plugins of one test. */
const sources = (test: string) => ({
  [`${test}_one/init.lua`]: plugin(
    `${test}_one`,
    [hook('one1', '*', 50), hook('one2', 'posts', 50), hook('one3', 'posts', 10)].join('\n'),
  ),
  [`${test}_two/init.lua`]: plugin(
    `${test}_two`,
    [hook('two1', 'posts', 50), hook('two2', 'other', 1)].join('\n'),
  ),
  [`${test}_zed/init.lua`]: plugin(`${test}_zed`, hook('zed1', 'posts', 1)),
})
const shared = useHost({ plugins: {}, config: { plugin_hook_max_consecutive_aborts: 2 }, approve: false })
const unapproved = { approve: false }

async function dryRun(server: TestHost, query: string): Promise<DryRun> {
  const answer = await server.send('GET', `/api/v1/admin/pipelines/dry-run?${query}`, {
    headers: server.credentials,
  })
  assert.equal(answer.status, 200, answer.text)
  return answer.json<DryRun>()
}

it('shows before a write exactly what fires in it, in that order', async (test) => {
  const server = shared()
  await install(test, server, sources('shown'), unapproved)
  const approve = [
    { plugin: 'shown_one', event: 'before_create', table: '*' },
    { plugin: 'shown_one', event: 'before_create', table: 'posts' },
    { plugin: 'shown_two', event: 'before_create', table: 'posts' },
  ]
  await server.admin('POST', '/hooks/approve', { json: { hooks: approve } })
  const { chains } = await dryRun(server, 'table=posts&op=create')
  assert.equal(chains.length, 1)
  const entries = (chains[0]?.entries ?? []).filter(({ PluginName }) => PluginName.startsWith('shown_'))
  assert.deepEqual(
    entries
      .filter(({ Enabled }) => !Enabled)
      .map(({ PluginName, DisabledReason }) => [PluginName, DisabledReason]),
    [['shown_zed', 'not_approved']],
  )
  const expected = entries
    .filter(({ Enabled }) => Enabled)
    .map(({ PluginName, Handler }) => `${PluginName.slice('shown_'.length)}${Handler.split('#')[1]}`)
  assert.deepEqual(expected, ['one3', 'two1', 'one2', 'one1'])
  const row = await server.host.hooks.run('before_create', 'posts', { title: 'x' })
  assert.equal(row.trail, ` ${expected.join(' ')}`)
})

it('fires nothing that is not approved, that was revoked, or whose version is another', async (test) => {
  const server = shared()
  await install(test, server, sources('fired'), unapproved)
  const fired = async () => (await server.host.hooks.run('before_create', 'posts', { title: 'x' })).trail
  const hooks = [{ plugin: 'fired_zed', event: 'before_create', table: 'posts' }]
  assert.equal(await fired(), undefined)
  await server.admin('POST', '/hooks/approve', { json: { hooks } })
  assert.equal(await fired(), ' zed1')
  await server.admin('POST', '/fired_zed/reload')
  assert.equal(await fired(), ' zed1')
  await server.restart()
  assert.equal(await fired(), ' zed1')
  await server.admin('POST', '/hooks/revoke', { json: { hooks } })
  assert.equal(await fired(), undefined)
  await server.admin('POST', '/hooks/approve', { json: { hooks } })
  await server.write({ 'fired_zed/init.lua': plugin('fired_zed', hook('zed1', 'posts', 1), '2.0.0') })
  await server.admin('POST', '/fired_zed/reload')
  assert.equal(await fired(), undefined)
})

it('names hooks that a breaker has switched off, and plugins that do not run', async (test) => {
  const failing = 'hooks.on("before_create", "posts", function() error("boom") end)'
  const server = shared()
  await install(test, server, { 'bad/init.lua': plugin('bad', failing) }, unapproved)
  await server.admin('POST', '/hooks/approve', {
    json: { hooks: [{ plugin: 'bad', event: 'before_create', table: 'posts' }] },
  })
  const reason = async () =>
    (await dryRun(server, 'table=posts&op=create')).chains[0]?.entries.find(
      ({ PluginName }) => PluginName === 'bad',
    )?.DisabledReason
  assert.equal(await reason(), undefined)
  for (let round = 0; round < 2; round += 1) {
    await assert.rejects(server.host.hooks.run('before_create', 'posts', {}))
  }
  assert.equal(await reason(), 'breaker_open')
  await server.admin('POST', '/bad/disable')
  assert.equal(await reason(), 'plugin_not_running')
})
