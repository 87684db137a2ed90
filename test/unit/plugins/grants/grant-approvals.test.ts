import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { sql } from 'kysely'
import type { PluginManager } from '../../../../src/plugins/manager.js'
import { type FakePlugin, fakeInit } from '../../../helpers/fake-sandbox.js'
import { createPluginWorld } from '../../../helpers/plugin-host.js'

const asking: FakePlugin = {
  hooks: ['before_create:posts', 'before_create:posts', 'after_create:*'],
  domains: ['api.example.com'],
  stages: ['/admin', '/admin'],
}

/** A plugin that asks for something of each kind. */
function init(name: string, version = '1.0.0', plugin: FakePlugin = asking): string {
  const info = { name, version, description: 'Asks.', core_access: { content_data: ['read', 'write'] } }
  Object.assign(info, {
    kv_access: { config: ['read', 'write'] },
    gateway_access: ['log:read', 'shell:write'],
  })
  return fakeInit(name, { info, ...plugin }, version)
}

const hook = { plugin: 'a', kind: 'hook', key: 'before_create:posts' } as const
const domain = { plugin: 'a', kind: 'domain', key: 'api.example.com' } as const
const read = { plugin: 'a', kind: 'core', key: 'content_data:read' } as const
const kvRead = { plugin: 'a', kind: 'kv', key: 'config:read' } as const
const stage = { plugin: 'a', kind: 'stage', key: 'on_request * /admin' } as const
const logRead = { plugin: 'a', kind: 'gateway', key: 'log:read' } as const
const all = [hook, domain, read, kvRead, stage, logRead]

function approvedOf(manager: PluginManager): readonly string[] {
  const grants = manager.find('a')?.grants.grants ?? []
  return grants.filter(({ approved }) => approved).map(({ kind, key }) => `${kind} ${key}`)
}

const everything = [
  'hook before_create:posts',
  'domain api.example.com',
  'core content_data:read',
  'kv config:read',
  'stage on_request * /admin',
  'gateway log:read',
]

describe('approvals of what plugins ask for beside routes', () => {
  it('approves nothing by default, then what is listed, for the next use', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', init('a'))
    const { manager } = await world.start()
    assert.deepEqual(approvedOf(manager), [])
    assert.equal(manager.statusReport().waiting[0]?.grants.length, 10)
    assert.equal(manager.asked.hooks().length, 3)
    const ghosts = [
      { ...domain, key: 'evil.example' },
      { ...domain, plugin: 'b' },
      { ...hook, kind: 'core' } as const,
    ]
    const { errors } = await manager.approveGrants([...ghosts, ...all], 'ann')
    assert.equal(errors.length, 3)
    assert.match(errors[0] ?? '', /domain evil\.example of plugin "a" not found/)
    assert.deepEqual(approvedOf(manager), everything)
    assert.deepEqual(
      manager.asked.hooks().map(({ table, approved, is_wildcard }) => [table, approved, is_wildcard]),
      [
        ['posts', true, false],
        ['posts', true, false],
        ['*', false, true],
      ],
    )
    assert.deepEqual(manager.asked.requests(), [
      {
        plugin_name: 'a',
        domain: 'api.example.com',
        description: 'calls api.example.com',
        approved: true,
        plugin_version: '1.0.0',
      },
    ])
    const row = await world.database.kysely
      .selectFrom('plugin_grants')
      .selectAll()
      .where('kind', '=', 'domain')
      .executeTakeFirstOrThrow()
    assert.deepEqual([row.approved, row.approved_by, row.plugin_version], [1, 'ann', '1.0.0'])
    assert.equal(row.content_hash, manager.get('a')?.content_hash)
  })

  it('survives restarts and reloads, and loses every kind with the version', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', init('a'))
    const first = await world.start()
    await first.manager.approveGrants(all, 'ann')
    await first.manager.reload('a', 'ann')
    assert.deepEqual(approvedOf(first.manager), everything)
    await first.manager.close()
    const { manager } = await world.start()
    assert.deepEqual(approvedOf(manager), everything)
    await world.write('a/init.lua', init('a', '2.0.0'))
    await manager.reload('a', 'ann')
    assert.deepEqual(approvedOf(manager), [])
    assert.ok(world.log.includes('warn grants of the plugin need a new approval'))
    await world.write('a/init.lua', init('a'))
    await manager.reload('a', 'ann')
    assert.deepEqual(approvedOf(manager), [], 'an earlier version does not get its approvals back')
  })

  it('follows the source when it is bound to the content', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', init('a'))
    const { manager } = await world.start('content')
    await manager.approveGrants(all, 'ann')
    await manager.reload('a', 'ann')
    assert.deepEqual(approvedOf(manager), everything)
    await world.write('a/lib/helper.lua', 'return {}')
    await manager.reload('a', 'ann')
    assert.deepEqual(approvedOf(manager), [])
  })

  it('asks again for what was dropped and has returned, and keeps the rest', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', init('a'))
    const { manager } = await world.start()
    await manager.approveGrants(all, 'ann')
    await world.write('a/init.lua', init('a', '1.0.0', { hooks: ['before_create:posts'] }))
    await manager.reload('a', 'ann')
    assert.deepEqual(approvedOf(manager), [
      'hook before_create:posts',
      'core content_data:read',
      'kv config:read',
      'gateway log:read',
    ])
    await world.write('a/init.lua', init('a'))
    await manager.reload('a', 'ann')
    assert.deepEqual(approvedOf(manager), [
      'hook before_create:posts',
      'core content_data:read',
      'kv config:read',
      'gateway log:read',
    ])
  })

  it('revokes at once and for good, also for a plugin that does not run', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', init('a'))
    const first = await world.start()
    await first.manager.approveGrants(all, 'ann')
    assert.deepEqual(await first.manager.revokeGrants([domain], 'ann'), { errors: [] })
    const left = everything.filter((grant) => !grant.startsWith('domain'))
    assert.deepEqual(approvedOf(first.manager), left)
    await first.manager.disable('a', 'ann')
    await first.manager.close()
    const { manager } = await world.start()
    assert.deepEqual(await manager.revokeGrants([hook], 'ann'), { errors: [] })
    await manager.enable('a', 'ann')
    assert.deepEqual(approvedOf(manager), left.slice(1))
    assert.equal((await manager.revokeGrants([{ ...hook, key: 'x:y' }], 'ann')).errors.length, 1)
  })

  it('refuses an approval of a source that is not the loaded one, and stores nothing', async (t) => {
    const world = await createPluginWorld(t)
    await world.write(
      'a/init.lua',
      init('a', '1.0.0', { ...asking, routes: [{ method: 'GET', path: '/x' }] }),
    )
    const { manager } = await world.start()
    const seen = (await manager.diff('a'))?.content_hash ?? ''
    await world.write('a/lib/later.lua', 'return {}')
    await manager.reload('a', 'ann')
    const grants = await manager.approveGrants([{ ...domain, contentHash: seen }], 'ann')
    assert.match(grants.errors[0] ?? '', /no longer the one that was looked at/)
    const route = { plugin: 'a', method: 'GET', path: '/x' }
    assert.equal((await manager.approveRoutes([{ ...route, content_hash: seen }], 'ann')).errors.length, 1)
    assert.deepEqual(approvedOf(manager), [])
    assert.equal(manager.routes()[0]?.approved, false)
    const now = (await manager.diff('a'))?.content_hash ?? ''
    assert.notEqual(now, seen)
    assert.deepEqual(await manager.approveGrants([{ ...domain, contentHash: now }], 'ann'), { errors: [] })
    assert.deepEqual(await manager.approveRoutes([{ ...route, content_hash: now }], 'ann'), { errors: [] })
  })

  it('stores routes and grants of a generation together or not at all', async (t) => {
    const world = await createPluginWorld(t)
    const withRoute = { ...asking, routes: [{ method: 'GET', path: '/x' }] }
    await world.write('a/init.lua', init('a', '1.0.0', withRoute))
    const { manager } = await world.start()
    await manager.approveRoutes([{ plugin: 'a', method: 'GET', path: '/x' }], 'ann')
    await manager.approveGrants(all, 'ann')
    await sql`create trigger refuse before insert on plugin_grants begin select raise(abort, 'refused'); end`.execute(
      world.database.kysely,
    )
    await world.write('a/init.lua', init('a', '2.0.0', withRoute))
    await assert.rejects(manager.reload('a', 'ann'), /refused/)
    await sql`drop trigger refuse`.execute(world.database.kysely)
    assert.equal(manager.get('a')?.version, '1.0.0')
    assert.equal(manager.routes()[0]?.approved, true)
    await manager.close()
    await world.write('a/init.lua', init('a', '1.0.0', withRoute))
    const again = await world.start()
    assert.equal(again.manager.routes()[0]?.approved, true)
    assert.deepEqual(approvedOf(again.manager), everything)
  })

  it('keeps approvals while the plugin directory is empty or unreadable, and forgets those of a removed plugin', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', init('a'))
    const first = await world.start()
    await first.manager.approveGrants(all, 'ann')
    await first.manager.close()
    await world.remove('')
    await (await world.start()).manager.close()
    await world.remove('')
    await writeFile(world.directory, 'no directory')
    await (await world.start()).manager.close()
    await world.remove('')
    await world.write('a/init.lua', init('a'))
    const second = await world.start()
    assert.deepEqual(approvedOf(second.manager), everything)
    await second.manager.close()
    await world.remove('a')
    await world.write('b/init.lua', fakeInit('b'))
    await (await world.start()).manager.close()
    await world.write('a/init.lua', init('a'))
    const { manager } = await world.start()
    assert.deepEqual(approvedOf(manager), [])
    assert.deepEqual((await manager.diff('a'))?.dropped, [])
  })

  it('does not load a plugin that asks for more than the limit', async (t) => {
    const world = await createPluginWorld(t)
    const domains = Array.from({ length: 501 }, (_, n) => `a${n}.example.com`)
    await world.write('a/init.lua', init('a', '1.0.0', { domains }))
    const { manager, sandbox } = await world.start()
    assert.match(manager.get('a')?.failed_reason ?? '', /the limit is 500/)
    assert.deepEqual(sandbox.open(), [])
  })
})

describe('grantsOf', () => {
  it('gives a generation in its on_init what was approved for its version, and nothing more', async (t) => {
    const world = await createPluginWorld(t)
    const asks = { ...asking, onInit: '' }
    await world.write('a/init.lua', init('a', '1.0.0', asks))
    const seen: boolean[] = []
    const start = async () => {
      const { manager, sandbox } = world.create()
      sandbox.onCall = (generation, payload) => {
        if (payload !== 'on_init') return
        // Before there is a generation that serves, only its stages are known, because they are missed.
        const served = manager.find('a')?.grants.grants.filter(({ kind }) => kind !== 'stage')
        assert.equal(served?.length, seen.length < 2 ? 0 : 9)
        seen.push(manager.grantsOf('a', generation).isApproved('domain', 'api.example.com'))
      }
      await manager.start()
      return manager
    }
    const first = await start()
    await first.approveGrants(all, 'ann')
    await first.close()
    const second = await start()
    await world.write('a/init.lua', init('a', '2.0.0', asks))
    await second.reload('a', 'ann')
    assert.deepEqual(seen, [false, true, false])
    const serving = second.find('a')?.generation?.id ?? 0
    assert.equal(second.grantsOf('a', serving).grants.length, 10)
    assert.deepEqual(second.grantsOf('a', 999).grants, [])
    assert.deepEqual(second.grantsOf('ghost', serving).grants, [])
  })

  it('takes a revoked grant from a generation in its on_init, and from one that drains', async (t) => {
    const world = await createPluginWorld(t)
    const asks = { ...asking, onInit: '' }
    await world.write('a/init.lua', init('a', '1.0.0', asks))
    const { manager, sandbox } = await world.start()
    await manager.approveGrants(all, 'ann')
    const [old] = sandbox.generations
    assert.ok(old)
    let release = () => {}
    old.inFlight = new Promise((resolve) => {
      release = resolve
    })
    const during: boolean[] = []
    sandbox.onCall = async (generation) => {
      const isApproved = () => manager.grantsOf('a', generation).isApproved('domain', 'api.example.com')
      during.push(isApproved())
      await manager.revokeGrants([domain], 'ann')
      during.push(isApproved())
    }
    await manager.reload('a', 'ann')
    assert.deepEqual(during, [true, false])
    assert.deepEqual(
      approvedOf(manager),
      everything.filter((grant) => !grant.startsWith('domain')),
    )
    const draining = () => manager.grantsOf('a', old.id)
    assert.equal(draining().isApproved('core', 'content_data:read'), true)
    await manager.revokeGrants([read], 'ann')
    assert.equal(draining().isApproved('core', 'content_data:read'), false)
    release()
    await manager.close()
    assert.deepEqual(draining().grants, [])
  })

  it('leaves nothing behind of a generation whose on_init failed', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', init('a'))
    const { manager, sandbox } = await world.start()
    await manager.approveGrants(all, 'ann')
    await world.write('a/init.lua', init('a', '1.0.0', { ...asking, onInit: 'boom' }))
    await assert.rejects(manager.reload('a', 'ann'), /boom/)
    assert.deepEqual(manager.grantsOf('a', sandbox.generations.at(-1)?.id ?? 0).grants, [])
    assert.deepEqual(approvedOf(manager), everything)
  })
})

describe('diff', () => {
  it('tells what waits and was approved before, what is approved, and what was dropped, over a restart', async (t) => {
    const world = await createPluginWorld(t)
    const routes = [
      { method: 'GET', path: '/x' },
      { method: 'GET', path: '/y' },
    ]
    await world.write('a/init.lua', init('a', '1.0.0', { ...asking, routes }))
    const first = await world.start()
    await first.manager.approveRoutes(first.manager.routes(), 'ann')
    await first.manager.approveGrants(all, 'ann')
    const before = await first.manager.diff('a')
    assert.deepEqual(
      before?.waiting.map(({ key }) => key),
      ['after_create:*', 'content_data:write', 'config:write', 'shell:write'],
    )
    assert.equal(before?.approved.length, 8)
    assert.deepEqual(before?.dropped, [])
    await first.manager.close()
    await world.write('a/init.lua', init('a', '2.0.0', { routes: routes.slice(0, 1) }))
    const { manager } = await world.start()
    const diff = await manager.diff('a')
    assert.deepEqual(
      diff?.waiting.map(({ key, approved_before }) => [key, approved_before?.plugin_version]),
      [
        ['GET /x', '1.0.0'],
        ['content_data:read', '1.0.0'],
        ['content_data:write', undefined],
        ['config:read', '1.0.0'],
        ['config:write', undefined],
        ['log:read', '1.0.0'],
        ['shell:write', undefined],
      ],
    )
    assert.deepEqual(
      diff?.dropped.map(({ kind, key, approved_by }) => `${kind} ${key} ${approved_by}`),
      [
        'domain api.example.com ann',
        'hook before_create:posts ann',
        'route GET /y ann',
        'stage on_request * /admin ann',
      ],
    )
    await manager.approveRoutes(manager.routes(), 'bob')
    const after = await manager.diff('a')
    assert.deepEqual(after?.dropped, [], 'who approved has seen it')
    assert.equal(after?.waiting[0]?.approved_before?.approved_by, 'ann')
    assert.equal(await manager.diff('ghost'), undefined)
  })

  it('remembers no more ended approvals than the limit', async (t) => {
    const world = await createPluginWorld(t)
    for (const round of [1, 2]) {
      const domains = Array.from({ length: 400 }, (_, n) => `r${round}n${n}.example.com`)
      await world.write('a/init.lua', init('a', `${round}`, { domains }))
      const { manager } = await world.start()
      const asked = domains.map((key) => ({ plugin: 'a', kind: 'domain' as const, key }))
      assert.deepEqual(await manager.approveGrants(asked, 'ann'), { errors: [] })
      await manager.close()
    }
    await world.write('a/init.lua', init('a', '3', {}))
    const { manager } = await world.start()
    const dropped = (await manager.diff('a'))?.dropped ?? []
    assert.equal(dropped.length, 500)
    assert.equal(dropped.filter(({ key }) => key.startsWith('r2')).length, 400)
  })
})
