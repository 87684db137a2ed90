import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openValidator } from '../../src/validator-session.js'
import { plugin } from '../helpers/create-host.js'
import { ownColumns } from '../helpers/migration-world.js'
import { pluginFolder, resultOf, runDemo } from '../helpers/plugin-tests.js'

const create = `CREATE TABLE plugin_demo_notes (${ownColumns}, title TEXT)`

test('plugin test applies the migrations to the database of each test', async (t) => {
  const report = await runDemo(t, {
    'demo/init.lua': plugin(
      'demo',
      'db.migration(2, "color", { up = "ALTER TABLE plugin_demo_notes ADD COLUMN color TEXT" })',
    ),
    'demo/migrations/1_create.sql': create,
    'demo/test/notes.test.lua': `
function test_first()
  db.insert("notes", { title = "a", color = "red" })
  test.assert_eq(1, db.count("notes", {}))
end
function test_second()
  test.assert_eq(0, db.count("notes", {}))
end`,
  })
  for (const name of ['test_first', 'test_second']) {
    const result = resultOf(report, name)
    assert.equal(result.passed, true, JSON.stringify(result.failures))
  }
})

test('plugin validate finds what a migration may not hold, and lists those that would run', async (t) => {
  const root = await pluginFolder(t, {
    'demo/init.lua': plugin('demo', ''),
    'demo/migrations/1_create.sql': `${create}\n-- down\nDROP TABLE plugin_demo_notes`,
    'demo/migrations/2_color.sql': 'ALTER TABLE plugin_demo_notes ADD COLUMN color TEXT',
    'bad/init.lua': plugin('bad', 'db.migration(1, "twice", { up = "DELETE FROM plugin_bad_notes" })'),
    'bad/migrations/1_create.sql': 'CREATE TABLE users (id)',
    'bad/migrations/x.sql': '',
  })
  const validator = await openValidator()
  t.after(() => validator.close())
  const good = await validator.validate(join(root, 'demo'))
  assert.deepEqual(good.errors, [])
  assert.deepEqual(good.migrations, [
    { version: 1, description: 'create', reversible: true },
    { version: 2, description: 'color', reversible: false },
  ])
  const { errors } = await validator.validate(join(root, 'bad'))
  assert.deepEqual(
    errors.map(({ field, message }) => `${field}: ${message.slice(0, 60)}`),
    [
      'migrations: migrations/x.sql: a migration is called <version>_<name>.sql',
      'migrations: the version 1 is there twice: db.migration(1) in init.lua an',
      'migrations: migrations/1_create.sql, up, line 1: the table "users" is no',
    ],
  )
})
