import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { sql } from 'kysely'
import { fakeInit } from '../../helpers/fake-sandbox.js'
import { createPluginWorld, type PluginWorld } from '../../helpers/plugin-host.js'

async function define(world: PluginWorld, plugin: string, table: string, references?: string): Promise<void> {
  const foreign = references === undefined ? '' : ` references ${references}(id)`
  await sql
    .raw(`create table ${table} (id text primary key, other text${foreign})`)
    .execute(world.database.kysely)
  const row = { table_name: table, plugin_name: plugin, columns: '[]', created_at: '2026-01-01' }
  await world.database.kysely.insertInto('plugin_tables').values(row).execute()
  await world.database.kysely
    .insertInto('plugin_storage')
    .values({ plugin_name: plugin, bytes: 10, rows: 1, quota_bytes: 100 })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

async function tablesOf(world: PluginWorld): Promise<readonly string[]> {
  const tables = await world.database.kysely.introspection.getTables()
  return tables.map(({ name }) => name).filter((name) => name.startsWith('plugin'))
}

/** What a new database has, beside what a test defines. */
const core = [
  'plugin_grants',
  'plugin_migrations',
  'plugin_routes',
  'plugin_storage',
  'plugin_tables',
  'plugin_withdrawn_approvals',
  'plugins',
]

async function createWorld(t: TestContext): Promise<PluginWorld> {
  const world = await createPluginWorld(t)
  await world.write('here/init.lua', fakeInit('present'))
  await define(world, 'present', 'plugin_present_things')
  await define(world, 'gone', 'plugin_gone_parents')
  await define(world, 'gone', 'plugin_gone_children', 'plugin_gone_parents')
  await sql`insert into plugin_gone_parents values ('p', null)`.execute(world.database.kysely)
  await sql`insert into plugin_gone_children values ('c', 'p')`.execute(world.database.kysely)
  return world
}

describe('orphaned tables', () => {
  it('are the registered tables of plugins that are gone, never the tables of the host', async (t) => {
    const world = await createWorld(t)
    await sql`create table plugin_stray (id text)`.execute(world.database.kysely)
    await world.database.kysely
      .insertInto('plugin_tables')
      .values({ table_name: 'plugins', plugin_name: 'gone', columns: '[]', created_at: '' })
      .execute()
    const { manager } = await world.start()
    assert.deepEqual(await manager.orphanedTables(), ['plugin_gone_children', 'plugin_gone_parents'])
  })

  it('are dropped only when they are named and orphaned, with their registry and storage rows', async (t) => {
    const world = await createWorld(t)
    const applied = {
      description: '',
      checksum: '',
      applied_at: '',
      applied_by: '',
      duration_ms: 1,
      adopted: 0,
    } as const
    await world.database.kysely
      .insertInto('plugin_migrations')
      .values(['gone', 'present'].map((plugin_name) => ({ plugin_name, version: 1, ...applied })))
      .execute()
    const { manager } = await world.start()
    const named = [
      'plugin_gone_parents',
      'plugin_gone_children',
      'plugin_present_things',
      'plugins',
      'x; drop',
    ]
    assert.deepEqual(await manager.dropOrphanedTables(named, 'ann'), [
      'plugin_gone_children',
      'plugin_gone_parents',
    ])
    assert.deepEqual((await tablesOf(world)).toSorted(), [...core, 'plugin_present_things'].sort())
    const owners = await world.database.kysely.selectFrom('plugin_storage').select('plugin_name').execute()
    assert.deepEqual(owners, [{ plugin_name: 'present' }])
    // Installed again, the plugin makes its tables again.
    const migrated = await world.database.kysely
      .selectFrom('plugin_migrations')
      .select('plugin_name')
      .execute()
    assert.deepEqual(migrated, [{ plugin_name: 'present' }])
    assert.deepEqual(await manager.orphanedTables(), [])
  })

  it('stay all when one that is not named refers to one that is', async (t) => {
    const world = await createWorld(t)
    const { manager } = await world.start()
    const before = await tablesOf(world)
    await assert.rejects(manager.dropOrphanedTables(['plugin_gone_parents'], 'ann'), {
      code: 'PLUGIN_TABLE_REFERENCED',
    })
    assert.deepEqual(await tablesOf(world), before)
    assert.equal((await manager.orphanedTables()).length, 2)
  })

  it('are not told while the plugin of a folder is unknown, or the directory is unreadable', async (t) => {
    const world = await createWorld(t)
    const { manager } = await world.start()
    await world.write('mystery/init.lua', 'broken')
    await assert.rejects(manager.orphanedTables(), { code: 'PLUGIN_ORPHANS_UNKNOWN', message: /mystery/ })
    await world.write('mystery/init.lua', fakeInit('gone'))
    assert.deepEqual(await manager.orphanedTables(), [])
    await world.remove('')
    await assert.rejects(manager.dropOrphanedTables(['plugin_gone_parents'], 'ann'), {
      code: 'PLUGIN_DIRECTORY_UNREADABLE',
    })
  })

  it('are not those of a plugin that is disabled, or runs after its folder was removed', async (t) => {
    const world = await createWorld(t)
    await world.write('gone/init.lua', fakeInit('gone'))
    const { manager } = await world.start()
    await manager.disable('gone', 'ann')
    assert.deepEqual(await manager.orphanedTables(), [])
    await world.remove('here')
    assert.deepEqual(await manager.orphanedTables(), [])
    await world.remove('gone')
    assert.equal((await manager.orphanedTables()).length, 2)
  })
})
