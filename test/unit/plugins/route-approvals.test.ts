import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fakeInit } from '../../helpers/fake-sandbox.js'
import { createPluginWorld } from '../../helpers/plugin-host.js'

const get = { plugin: 'a', method: 'GET', path: '/x' }
const routes = [
  { method: 'GET', path: '/x' },
  { method: 'POST', path: '/x', public: true },
]

describe('approvals of routes', () => {
  it('approves nothing by default, and a listed route for the next request', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', fakeInit('a', { routes }))
    const { manager } = await world.start()
    assert.deepEqual(
      manager.routes().map((route) => route.approved),
      [false, false],
    )
    assert.equal(manager.statusReport().waiting[0]?.routes.length, 2)
    const ghost = { plugin: 'a', method: 'GET', path: '/ghost' }
    const { errors } = await manager.approveRoutes([ghost, get, { ...get, plugin: 'b' }], 'ann')
    assert.equal(errors.length, 2)
    assert.match(errors[0] ?? '', /route GET \/ghost of plugin "a" not found/)
    assert.equal(manager.find('a')?.routes.find('GET', '/x')?.route.approved, true)
    assert.equal(manager.find('a')?.routes.find('POST', '/x')?.route.approved, false)
    const row = await world.database.kysely
      .selectFrom('plugin_routes')
      .selectAll()
      .where('method', '=', 'GET')
      .executeTakeFirstOrThrow()
    assert.deepEqual([row.approved, row.approved_by, row.plugin_version], [1, 'ann', '1.0.0'])
    assert.equal(row.content_hash, manager.get('a')?.content_hash)
    assert.match(row.approved_at ?? '', /^\d{4}-\d\d-\d\dT/)
  })

  it('survives restarts and reloads, and follows the version', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', fakeInit('a', { routes }))
    const first = await world.start()
    await first.manager.approveRoutes([get], 'ann')
    await first.manager.reload('a', 'ann')
    assert.equal(first.manager.routes()[0]?.approved, true)
    await first.manager.close()
    const { manager } = await world.start()
    assert.equal(manager.routes()[0]?.approved, true)
    await world.write('a/init.lua', fakeInit('a', { routes }, '2.0.0'))
    await manager.reload('a', 'ann')
    assert.equal(manager.routes()[0]?.approved, false)
    assert.ok(world.log.includes('warn routes have changed and need a new approval'))
    await world.write('a/init.lua', fakeInit('a', { routes }, '1.0.0'))
    await manager.reload('a', 'ann')
    assert.equal(manager.routes()[0]?.approved, false)
  })

  it('follows the source when it is bound to the content', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', fakeInit('a', { routes }))
    const { manager } = await world.start('content')
    await manager.approveRoutes([get], 'ann')
    await manager.reload('a', 'ann')
    assert.equal(manager.routes()[0]?.approved, true)
    await world.write('a/lib/helper.lua', 'return {}')
    await manager.reload('a', 'ann')
    assert.equal(manager.routes()[0]?.approved, false)
  })

  it('revokes at once and for good, also for a plugin that does not run', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', fakeInit('a', { routes }))
    const first = await world.start()
    await first.manager.approveRoutes([get, { ...get, method: 'POST' }], 'ann')
    assert.deepEqual(await first.manager.revokeRoutes([get], 'ann'), { errors: [] })
    assert.equal(first.manager.find('a')?.routes.find('GET', '/x')?.route.approved, false)
    await first.manager.disable('a', 'ann')
    await first.manager.close()
    const { manager } = await world.start()
    assert.deepEqual(await manager.revokeRoutes([{ ...get, method: 'POST' }], 'ann'), { errors: [] })
    await manager.enable('a', 'ann')
    assert.deepEqual(
      manager.routes().map((route) => route.approved),
      [false, false],
    )
    assert.equal((await manager.revokeRoutes([{ ...get, path: '/ghost' }], 'ann')).errors.length, 1)
  })

  it('does not touch the approvals when the next generation cannot be loaded', async (t) => {
    const world = await createPluginWorld(t)
    await world.write('a/init.lua', fakeInit('a', { routes }))
    const { manager } = await world.start()
    await manager.approveRoutes([get], 'ann')
    await world.write('a/init.lua', fakeInit('a', { onInit: 'boom' }, '2.0.0'))
    await assert.rejects(manager.reload('a', 'ann'))
    assert.equal(manager.routes()[0]?.approved, true)
    await manager.close()
    await world.write('a/init.lua', fakeInit('a', { routes }))
    assert.equal((await world.start()).manager.routes()[0]?.approved, true)
  })
})
