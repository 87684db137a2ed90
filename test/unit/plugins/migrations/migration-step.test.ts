import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type MigrationStep,
  runStep,
  type StepTerms,
} from '../../../../src/plugins/migrations/migration-step.js'
import { findForeignStep } from '../../../../src/plugins/migrations/opcodes.js'
import { dropStorageTriggers } from '../../../../src/plugins/migrations/table-care.js'
import { hostTables } from '../../../../src/plugins/migrations/table-rules.js'
import {
  createMigrationWorld,
  type MigrationWorld,
  ownColumns,
  ownValues,
  stepOf,
} from '../../../helpers/migration-world.js'

const termsOf = (plugin: string): StepTerms => ({ plugin, quotaBytes: 100_000, actor: 'ann' })

function up(world: MigrationWorld, sql: string, plugin = 'a', version = 1) {
  return runStep(world.session, termsOf(plugin), stepOf(plugin, version, sql))
}

/** Asserts that a migration fails and leaves nothing behind. */
function fails(world: MigrationWorld, sql: string, reason: RegExp, plugin = 'a', version = 9): void {
  const before = [world.schema(), world.values('select plugin_name || version from plugin_migrations')]
  assert.throws(() => up(world, sql, plugin, version), reason)
  assert.equal(world.session.connection.inTransaction, false)
  assert.deepEqual(
    [world.schema(), world.values('select plugin_name || version from plugin_migrations')],
    before,
  )
}

const notes = `CREATE TABLE plugin_a_notes (${ownColumns}, title TEXT NOT NULL, done BOOLEAN)`

test('a migration makes a table that belongs to its plugin, with its row', async (t) => {
  const world = await createMigrationWorld(t)
  assert.equal(
    up(world, `${notes}; INSERT INTO plugin_a_notes VALUES (${ownValues('x')}, 'one', 1)`).state,
    'done',
  )
  const [table] = world.values("select plugin_name from plugin_tables where table_name = 'plugin_a_notes'")
  assert.equal(table, 'a')
  const [columns] = world.values('select columns from plugin_tables')
  assert.deepEqual(
    JSON.parse(String(columns)).map(({ name, type }: { name: string; type: string }) => `${name} ${type}`),
    ['id text', 'created_at timestamp', 'updated_at timestamp', 'title text', 'done boolean'],
  )
  assert.deepEqual(world.values('select applied_by || adopted || length(checksum) from plugin_migrations'), [
    'ann064',
  ])
  assert.deepEqual(world.values('select rows from plugin_storage'), [1])
  assert.equal(
    world.values(
      "select count(*) from sqlite_schema where type = 'trigger' and name like 'plugin_a_notes__stored%'",
    )[0],
    3,
  )
})

test('what is stored is counted, whatever a migration does', async (t) => {
  const world = await createMigrationWorld(t)
  const insert = (id: string) =>
    `INSERT INTO plugin_a_notes (id, created_at, updated_at, title) VALUES (${ownValues(id)}, '${'x'.repeat(100)}')`
  up(world, `${notes}; ${insert('one')}; ${insert('two')}`)
  const counted = () => world.values("select bytes || ' ' || rows from plugin_storage")[0]
  const first = counted()
  up(world, 'ALTER TABLE plugin_a_notes ADD COLUMN more TEXT', 'a', 2)
  assert.equal(counted(), first)
  up(world, "UPDATE plugin_a_notes SET more = 'abcde'", 'a', 3)
  const [bytes] = String(first).split(' ').map(Number)
  assert.equal(counted(), `${(bytes as number) + 10} 2`)
  // The triggers know the new column as well.
  world.session.connection.exec("UPDATE plugin_a_notes SET more = 'abcdefgh'")
  assert.equal(counted(), `${(bytes as number) + 16} 2`)
  up(
    world,
    'ALTER TABLE plugin_a_notes DROP COLUMN more; ALTER TABLE plugin_a_notes RENAME TO plugin_a_texts',
    'a',
    4,
  )
  assert.equal(counted(), first)
  assert.deepEqual(world.values('select table_name from plugin_tables'), ['plugin_a_texts'])
  up(world, 'DROP TABLE plugin_a_texts', 'a', 5)
  assert.equal(counted(), '0 0')
  assert.deepEqual(world.values('select table_name from plugin_tables'), [])
})

test('FL-03: when a statement fails nothing of the migration stays', async (t) => {
  const world = await createMigrationWorld(t)
  fails(
    world,
    `${notes}; INSERT INTO plugin_a_notes (id) VALUES ('x')`,
    /statement 2 \(line 1, INSERT INTO plugin_a_notes.*NOT NULL/,
  )
  assert.deepEqual(world.values('select count(*) from plugin_storage'), [0])
})

test('no table of another plugin or of the host is touched, though its name has the prefix', async (t) => {
  const world = await createMigrationWorld(t)
  up(
    world,
    `CREATE TABLE plugin_a_b_t (${ownColumns}); CREATE INDEX plugin_a_b_i ON plugin_a_b_t (created_at)`,
    'a_b',
  )
  world.session.connection.exec('CREATE TABLE plugin_a_stray (id TEXT)')
  const own = `CREATE TABLE plugin_a_t (${ownColumns})`
  up(world, own)
  const attacks: readonly (readonly [string, RegExp])[] = [
    ['DROP TABLE plugin_a_b_t', /belongs to nobody or to another plugin/],
    ['DELETE FROM plugin_a_b_t', /belongs to nobody or to another plugin/],
    ['INSERT INTO plugin_a_t SELECT * FROM plugin_a_b_t', /belongs to nobody or to another plugin/],
    ['UPDATE plugin_a_t SET id = (SELECT max(id) FROM plugin_a_b_t)', /belongs to nobody or to another/],
    ['ALTER TABLE plugin_a_b_t RENAME TO plugin_a_mine', /belongs to nobody or to another plugin/],
    ['ALTER TABLE plugin_a_t RENAME TO plugin_a_b_t', /belongs to a table of another plugin/],
    [`CREATE TABLE plugin_a_b_t (${ownColumns})`, /belongs to a table of another plugin/],
    [`CREATE TABLE IF NOT EXISTS plugin_a_b_t (${ownColumns})`, /belongs to a table of another plugin/],
    [`CREATE TABLE IF NOT EXISTS plugin_a_stray (${ownColumns})`, /there is a table plugin_a_stray already/],
    ['DROP TABLE plugin_a_stray', /belongs to nobody/],
    ['CREATE INDEX plugin_a_x ON plugin_a_b_t (id)', /belongs to nobody or to another plugin/],
    ['DROP INDEX plugin_a_b_i', /none of this plugin/],
    [
      `CREATE TABLE plugin_a_u (${ownColumns}, x TEXT REFERENCES plugin_a_b_t)`,
      /belongs to nobody or to another/,
    ],
    ['INSERT INTO plugin_a_gone SELECT 1', /there is no table plugin_a_gone/],
  ]
  for (const [sql, reason] of attacks) fails(world, sql, reason)
})

test('SQLite itself says what a statement touches, were the reader of SQL to miss it', async (t) => {
  const world = await createMigrationWorld(t)
  up(world, notes)
  const own = new Set(['plugin_a_notes'])
  // As a step does: they count what is stored in a table of the host.
  dropStorageTriggers(world.session, own)
  const { connection } = world.session
  const step = (sql: string) => findForeignStep(connection, sql, own)
  assert.equal(
    step(
      "UPDATE plugin_a_notes SET title = upper(title) || '->' || CURRENT_TIMESTAMP WHERE title LIKE 'a%' AND done ->> '$' GLOB 'x'",
    ),
    undefined,
  )
  assert.match(String(step('DELETE FROM plugins')), /touches the (table|index)/)
  assert.match(String(step('INSERT INTO plugin_a_notes SELECT name, 1, 1, 1, 1 FROM plugins')), /touches the/)
  assert.match(
    String(step('UPDATE plugin_a_notes SET title = (SELECT max(sql) FROM sqlite_schema)')),
    /touches the schema/,
  )
  assert.match(
    String(step('UPDATE plugin_a_notes SET title = (SELECT name FROM pragma_table_list)')),
    /VOpen/,
  )
  assert.match(String(step('UPDATE plugin_a_notes SET title = zeroblob(5)')), /calls the function zeroblob/)
})

test('tables are as db.* needs them', async (t) => {
  const world = await createMigrationWorld(t)
  fails(world, 'CREATE TABLE plugin_a_t (id TEXT PRIMARY KEY NOT NULL)', /lacks created_at, updated_at/)
  fails(
    world,
    'CREATE TABLE plugin_a_t (id INTEGER PRIMARY KEY, created_at, updated_at)',
    /must be: id TEXT PRIMARY KEY NOT NULL/,
  )
  fails(
    world,
    'CREATE TABLE plugin_a_t (id TEXT PRIMARY KEY, created_at, updated_at)',
    /must be: id TEXT PRIMARY KEY NOT NULL/,
  )
  fails(
    world,
    'CREATE TABLE plugin_a_t (id TEXT NOT NULL, created_at TEXT, updated_at TEXT, PRIMARY KEY (id, created_at))',
    /must be: id TEXT/,
  )
  const columns = Array.from({ length: 62 }, (_, at) => `c${at} TEXT`).join(', ')
  fails(world, `CREATE TABLE plugin_a_t (${ownColumns}, ${columns})`, /has 65 columns; the limit is 64/)
  const indexes = Array.from(
    { length: 17 },
    (_, at) => `CREATE INDEX plugin_a_i${at} ON plugin_a_t (created_at)`,
  )
  fails(world, `CREATE TABLE plugin_a_t (${ownColumns}); ${indexes.join(';')}`, /17 indexes; the limit is 16/)
  fails(
    world,
    `CREATE TABLE plugin_a_t (${ownColumns}, u TEXT REFERENCES plugin_a_none)`,
    /refers to plugin_a_none, which is no table/,
  )
  up(world, notes)
  fails(world, 'ALTER TABLE plugin_a_notes RENAME COLUMN title TO _rowid_', /cannot name|_rowid_/)
  fails(world, 'ALTER TABLE plugin_a_notes DROP COLUMN updated_at', /lacks updated_at/)
})

test('a table can be made anew while others refer to it, and what is broken is found', async (t) => {
  const world = await createMigrationWorld(t)
  up(
    world,
    `CREATE TABLE plugin_a_lists (${ownColumns}, name TEXT);
     CREATE TABLE plugin_a_items (${ownColumns}, list TEXT REFERENCES plugin_a_lists (id) ON DELETE CASCADE);
     INSERT INTO plugin_a_lists VALUES (${ownValues('l')}, 'n');
     INSERT INTO plugin_a_items VALUES (${ownValues('i')}, 'l')`,
  )
  assert.equal(
    world.values("select count(*) from sqlite_schema where name = 'idx_plugin_a_items_list'")[0],
    1,
  )
  up(
    world,
    `CREATE TABLE plugin_a_new (${ownColumns}, name TEXT NOT NULL);
     INSERT INTO plugin_a_new SELECT id, created_at, updated_at, coalesce(name, '') FROM plugin_a_lists;
     DROP TABLE plugin_a_lists;
     ALTER TABLE plugin_a_new RENAME TO plugin_a_lists`,
    'a',
    2,
  )
  assert.deepEqual(world.values('select list from plugin_a_items'), ['l'])
  assert.equal(world.values('select rows from plugin_storage')[0], 2)
  fails(
    world,
    'DELETE FROM plugin_a_lists',
    /a row of plugin_a_items refers to a row of plugin_a_lists that is not there/,
  )
  fails(world, 'DROP TABLE plugin_a_lists', /refers to/)
})

test('a plugin cannot store more than it may', async (t) => {
  const world = await createMigrationWorld(t)
  const text = 'x'.repeat(60_000)
  fails(
    world,
    `${notes}; INSERT INTO plugin_a_notes VALUES (${ownValues('1')}, '${text}', 1), (${ownValues('2')}, '${text}', 1)`,
    /would store 120\d{3} bytes, and 100000 are allowed/,
  )
})

test('down runs the other part and takes the row away', async (t) => {
  const world = await createMigrationWorld(t)
  const sql = `-- up\n${notes};\n-- down\nDROP TABLE plugin_a_notes`
  const before = world.schema()
  runStep(world.session, termsOf('a'), stepOf('a', 1, sql))
  assert.equal(runStep(world.session, termsOf('a'), stepOf('a', 1, sql, 'down')).state, 'done')
  assert.deepEqual(world.schema(), before)
  assert.deepEqual(world.values('select * from plugin_migrations'), [])
  assert.equal(runStep(world.session, termsOf('a'), stepOf('a', 1, sql, 'down')).state, 'skipped')
})

test('FL-06: a table that is there is adopted, not made; again changes nothing', async (t) => {
  const world = await createMigrationWorld(t)
  const adopt = (more: Partial<MigrationStep> = {}) =>
    runStep(world.session, termsOf('a'), { ...stepOf('a', 1, notes, 'adopt'), ...more })
  assert.equal(adopt({ ifTable: 'plugin_a_notes' }).state, 'table_missing')
  assert.deepEqual(world.values('select * from plugin_migrations'), [])
  world.session.connection.exec(`${notes}; INSERT INTO plugin_a_notes VALUES (${ownValues('x')}, 'kept', 1)`)
  fails(
    world,
    notes,
    /there is a table plugin_a_notes already that no plugin made; `modulacms plugin migrate adopt`/,
  )
  assert.equal(adopt({ ifTable: 'plugin_a_notes' }).state, 'done')
  assert.deepEqual(world.values('select title from plugin_a_notes'), ['kept'])
  assert.deepEqual(world.values('select adopted from plugin_migrations'), [1])
  assert.deepEqual(world.values('select plugin_name from plugin_tables'), ['a'])
  assert.deepEqual(world.values('select rows from plugin_storage'), [1])
  const [at] = world.values('select applied_at from plugin_migrations')
  assert.equal(adopt().state, 'skipped')
  assert.deepEqual(world.values('select applied_at from plugin_migrations'), [at])
})

test('a table of another plugin is not adopted', async (t) => {
  const world = await createMigrationWorld(t)
  up(world, `CREATE TABLE plugin_a_b_t (${ownColumns})`, 'a_b')
  const step = stepOf('a', 1, `CREATE TABLE plugin_a_b_t (${ownColumns})`, 'adopt')
  assert.throws(() => runStep(world.session, termsOf('a'), step), /belongs to a table of another plugin/)
  assert.deepEqual(world.values('select plugin_name from plugin_tables'), ['a_b'])
})

test('a table of the host whose name looks like one of a plugin is never taken over', async (t) => {
  const world = await createMigrationWorld(t)
  const present = world.values(
    "select name from sqlite_schema where type = 'table' and name like 'plugin\\_%' escape '\\' order by name",
  )
  assert.deepEqual(present, [...hostTables])
  const sql = `CREATE TABLE plugin_withdrawn_approvals (${ownColumns})`
  const before = world.schema()
  for (const action of ['up', 'adopt'] as const) {
    assert.throws(
      () => runStep(world.session, termsOf('withdrawn'), stepOf('withdrawn', 1, sql, action)),
      /belongs to the host/,
    )
  }
  assert.throws(
    () =>
      runStep(
        world.session,
        termsOf('withdrawn'),
        stepOf('withdrawn', 1, 'DROP TABLE plugin_withdrawn_approvals'),
      ),
    /belongs to nobody or to another plugin/,
  )
  assert.deepEqual(world.schema(), before)
})
