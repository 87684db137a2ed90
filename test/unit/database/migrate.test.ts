import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Kysely, sql } from 'kysely'
import { createDatabase } from '../../../src/database/database.js'
import { createSqliteDialect } from '../../../src/database/dialect.js'
import { coreMigrations, migrateCoreTables } from '../../../src/database/migrate.js'
import { openSqlite } from '../../../src/database/sqlite.js'
import type { CoreTables } from '../../../src/database/tables.js'

const directory = mkdtempSync(join(tmpdir(), 'modula-migrate-'))
after(() => rmSync(directory, { recursive: true, force: true }))

function open(name: string): Kysely<CoreTables> {
  const file = join(directory, name)
  return new Kysely({ dialect: createSqliteDialect(openSqlite({ file, busyTimeoutMs: 0 })) })
}

/** What a host had before a migration came. */
function migrationsBefore(number: string): typeof coreMigrations {
  return Object.fromEntries(Object.entries(coreMigrations).filter(([name]) => name < number))
}

const plugin = (name: string) => ({
  plugin_id: name.padStart(26, '0'),
  name,
  version: '1.0.0',
  date_installed: '2026-01-01T00:00:00Z',
  date_modified: '2026-01-01T00:00:00Z',
})

test('a new file gets all core tables, a second start changes nothing', async () => {
  const log: string[] = []
  const note = (_fields: object, message: string) => log.push(message)
  const options = { file: join(directory, 'new.db'), log: { info: note, warn: note } }
  const database = await createDatabase(options)
  const tables = await database.kysely.introspection.getTables()
  for (const name of ['plugins', 'plugin_routes', 'plugin_tables', 'plugin_storage']) {
    assert.ok(
      tables.some((table) => table.name === name),
      name,
    )
  }
  await database.close()
  assert.equal(log.length, 1)
  await (await createDatabase(options)).close()
  assert.equal(log.length, 1)
})

test('nothing is approved, quarantined or disabled by default', async () => {
  const db = open('defaults.db')
  await migrateCoreTables(db, 'defaults.db')
  await db.insertInto('plugins').values(plugin('a')).execute()
  await db
    .insertInto('plugin_routes')
    .values({ plugin_name: 'a', method: 'GET', path: '/', created_at: 'now' })
    .execute()
  const { plugin_id, date_installed, date_modified, ...stored } = await db
    .selectFrom('plugins')
    .selectAll()
    .executeTakeFirstOrThrow()
  assert.deepEqual(stored, {
    name: 'a',
    version: '1.0.0',
    description: '',
    author: '',
    status: 'enabled',
    quarantined: 0,
    capabilities: '[]',
    approved_access: '{}',
    manifest_hash: '',
  })
  assert.deepEqual(await db.selectFrom('plugin_routes').selectAll().executeTakeFirstOrThrow(), {
    plugin_name: 'a',
    method: 'GET',
    path: '/',
    public: 0,
    requires: '',
    approved: 0,
    approved_at: null,
    approved_by: null,
    plugin_version: '',
    content_hash: '',
    created_at: 'now',
  })
  await db.destroy()
})

test('the tables refuse what would make their rows ambiguous', async () => {
  const db = open('constraints.db')
  await migrateCoreTables(db, 'constraints.db')
  await db.insertInto('plugins').values(plugin('a')).execute()
  await assert.rejects(
    db
      .insertInto('plugins')
      .values({ ...plugin('a'), plugin_id: 'x' })
      .execute(),
    /UNIQUE/,
  )
  await assert.rejects(sql`update plugins set status = 'running'`.execute(db), /CHECK/)
  await assert.rejects(sql`update plugins set quarantined = 2`.execute(db), /CHECK/)
  await assert.rejects(
    sql`insert into plugin_storage values ('a', 'many', 0, 1)`.execute(db),
    /cannot store TEXT/,
  )
  const table = { plugin_name: 'a', columns: '[]', created_at: 'now' }
  await db
    .insertInto('plugin_tables')
    .values({ ...table, table_name: 'plugin_a_items' })
    .execute()
  const twin = { ...table, plugin_name: 'b', table_name: 'PLUGIN_A_Items' }
  await assert.rejects(db.insertInto('plugin_tables').values(twin).execute(), /UNIQUE/)
  await db.destroy()
})

test('a migration that fails leaves the file as it was', async () => {
  const db = open('failing.db')
  const broken = {
    ...coreMigrations,
    '9998_broken': {
      async up(schema: Kysely<unknown>) {
        await schema.schema.createTable('half').addColumn('a', 'text').execute()
        throw new Error('broken migration')
      },
    },
  }
  await assert.rejects(migrateCoreTables(db, 'failing.db', broken), /broken migration/)
  const tables = await db.introspection.getTables()
  assert.ok(!tables.some((table) => table.name === 'half' || table.name === 'plugins'))
  assert.deepEqual(await migrateCoreTables(db, 'failing.db'), Object.keys(coreMigrations))
  await db.destroy()
})

test('a file of a later version is refused by name and not changed', async () => {
  const file = join(directory, 'later.db')
  const db = open('later.db')
  await migrateCoreTables(db, file, {
    ...coreMigrations,
    '9999_future': {
      up: (schema: Kysely<unknown>) => schema.schema.createTable('future').addColumn('a', 'text').execute(),
    },
  })
  await db.destroy()
  await assert.rejects(createDatabase({ file }), (error: unknown) => {
    assert.ok(error instanceof Error && 'code' in error)
    assert.equal(error.code, 'DATABASE_SCHEMA_UNKNOWN')
    assert.match(error.message, /later\.db .*9999_future/)
    return true
  })
})

test('hosts that start on one new file at once all come up, and each migration runs once', async () => {
  const file = join(directory, 'together.db')
  const modulePath = new URL('../../../src/database/database.js', import.meta.url).href
  const script = `
    const { createDatabase } = await import(${JSON.stringify(modulePath)})
    const database = await createDatabase({ file: ${JSON.stringify(file)}, busyRetryMs: 20000 })
    await database.close()`
  const children = Array.from({ length: 3 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' }),
  )
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]))
  assert.deepEqual(codes, [0, 0, 0])
  const inProcess = await Promise.all([createDatabase({ file }), createDatabase({ file })])
  await Promise.all(inProcess.map((database) => database.close()))
  const check = openSqlite({ file, busyTimeoutMs: 0 })
  assert.deepEqual(
    check.prepare('select name from core_migrations').pluck().all(),
    Object.keys(coreMigrations),
  )
  check.close()
})

test('grants of earlier files stay as they are when shared namespaces are added', async () => {
  const db = open('kv-grants.db')
  await migrateCoreTables(db, 'kv-grants.db', migrationsBefore('0006'))
  const grant = { plugin_name: 'a', kind: 'core', key: 'content_data:read', created_at: 'then' } as const
  const approval = { approved: 1, approved_at: 'now', approved_by: 'ann', plugin_version: '1' } as const
  await db
    .insertInto('plugin_grants')
    .values({ ...grant, ...approval, content_hash: 'aa', description: 'reads' })
    .execute()
  const kv = { plugin_name: 'a', kind: 'kv', key: 'config:read', created_at: 'now' } as const
  await assert.rejects(db.insertInto('plugin_grants').values(kv).execute(), /CHECK/)
  const before = await db.selectFrom('plugin_grants').selectAll().execute()
  await migrateCoreTables(db, 'kv-grants.db', migrationsBefore('0011'))
  assert.deepEqual(await db.selectFrom('plugin_grants').selectAll().execute(), before)
  await db.insertInto('plugin_grants').values(kv).execute()
  await assert.rejects(db.insertInto('plugin_grants').values(kv).execute(), /UNIQUE/)
  await assert.rejects(
    sql`insert into plugin_grants (plugin_name, kind, key, created_at) values ('a', 'all', 'x', 'now')`.execute(
      db,
    ),
    /CHECK/,
  )
  await db.destroy()
})

test('grants of earlier files stay as they are when stages and the gateway are added', async () => {
  const db = open('gateway-grants.db')
  await migrateCoreTables(db, 'gateway-grants.db', migrationsBefore('0007'))
  const times = { created_at: 'then', approved_at: 'now' } as const
  const approval = { approved: 1, approved_by: 'ann', plugin_version: '1', content_hash: 'aa' } as const
  const grant = { plugin_name: 'a', kind: 'kv', key: 'config:read', description: 'reads' } as const
  await db
    .insertInto('plugin_grants')
    .values({ ...grant, ...approval, ...times })
    .execute()
  const before = await db.selectFrom('plugin_grants').selectAll().execute()
  const added = (['stage', 'gateway'] as const).map((kind) => {
    return { plugin_name: 'a', kind, key: 'log:read', created_at: 'now' }
  })
  await assert.rejects(db.insertInto('plugin_grants').values(added).execute(), /CHECK/)
  await migrateCoreTables(db, 'gateway-grants.db', migrationsBefore('0011'))
  assert.deepEqual(await db.selectFrom('plugin_grants').selectAll().execute(), before)
  await db.insertInto('plugin_grants').values(added).execute()
  await assert.rejects(db.insertInto('plugin_grants').values(added).execute(), /UNIQUE/)
  const unknown = sql`insert into plugin_grants (plugin_name, kind, key, created_at) values ('a', 'all', 'x', 'now')`
  await assert.rejects(unknown.execute(db), /CHECK/)
  await db.destroy()
})
