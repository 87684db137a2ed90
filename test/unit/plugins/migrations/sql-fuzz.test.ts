import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runStep } from '../../../../src/plugins/migrations/migration-step.js'
import { checkSql } from '../../../../src/plugins/migrations/sql-check.js'
import { SqlRefused } from '../../../../src/plugins/migrations/sql-refused.js'
import { dropStorageTriggers } from '../../../../src/plugins/migrations/table-care.js'
import {
  createMigrationWorld,
  type MigrationWorld,
  ownColumns,
  stepOf,
} from '../../../helpers/migration-world.js'

/** Pieces of SQL of which statements are put together, honest and hostile ones. */
const pieces = [
  ...'CREATE|TABLE|INDEX|UNIQUE|ALTER|DROP|RENAME|TO|COLUMN|ADD|IF|NOT|EXISTS|INSERT|INTO|OR|REPLACE|IGNORE'.split(
    '|',
  ),
  ...'UPDATE|SET|DELETE|FROM|WHERE|SELECT|VALUES|DEFAULT|JOIN|LEFT|ON|AS|IN|LIKE|GLOB|IS|DISTINCT|UNION|ALL'.split(
    '|',
  ),
  ...'GROUP|BY|ORDER|LIMIT|CASE|WHEN|THEN|END|CHECK|REFERENCES|PRIMARY|KEY|CONFLICT|DO|NOTHING|AND|NULL'.split(
    '|',
  ),
  ...'plugin_a_t|plugin_a_u|"plugin_a_t"|plugin_a_new|plugin_a_b_t|plugin_b_t|plugins|"plugins"|main|temp'.split(
    '|',
  ),
  ...'sqlite_schema|"sqlite_master"|pragma_table_list|id|x|excluded|a|b|plugin_a_i|idx_plugin_a_t_x'.split(
    '|',
  ),
  ...`'text'|'plugins'|'it''s'|1|0x1f|x'00'|(|)|(|)|,|,|.|;|=|+|-|*|/|->>|--\n|/**/|/*|*/|"a""b"|[x]|\`x\`|\u0430`.split(
    '|',
  ),
  ...'TEXT|lower(|count(*)|hex(|load_extension(|json_extract(|max(|PRAGMA|ATTACH|WITH|TRIGGER|VIEW|TEMP|RETURNING'.split(
    '|',
  ),
]

/** Beginnings of statements that are right, so that what follows is reached. */
const beginnings = [
  '',
  'INSERT INTO plugin_a_t (id, x) SELECT id, x FROM',
  'INSERT INTO plugin_a_t (id, x) VALUES (',
  'UPDATE plugin_a_t SET x =',
  'UPDATE plugin_a_t SET x = (SELECT x FROM plugin_a_u',
  'UPDATE plugin_a_t SET x = 1 FROM plugin_a_u',
  'DELETE FROM plugin_a_t WHERE',
  'DELETE FROM plugin_a_t WHERE x IN (SELECT x FROM plugin_a_u',
  `CREATE TABLE plugin_a_new (${ownColumns}, x`,
  'CREATE INDEX plugin_a_i ON plugin_a_t (x',
  'ALTER TABLE plugin_a_t',
]

const statements = fc
  .tuple(
    fc.constantFrom(...beginnings),
    fc.array(fc.constantFrom(...pieces), { maxLength: 12 }),
    fc.constantFrom('', ')', '))'),
  )
  .map(([beginning, middle, end]) => `${beginning} ${middle.join(' ')} ${end}`)

async function prepare(test: Parameters<typeof createMigrationWorld>[0]): Promise<MigrationWorld> {
  const world = await createMigrationWorld(test)
  const table = (name: string) => `CREATE TABLE ${name} (${ownColumns}, x TEXT, a, b)`
  const make = (plugin: string, sql: string) =>
    runStep(world.session, { plugin, quotaBytes: 1e6, actor: 't' }, stepOf(plugin, 1, sql))
  make('a', `${table('plugin_a_t')}; ${table('plugin_a_u')}`)
  make('b', table('plugin_b_t'))
  make('a_b', table('plugin_a_b_t'))
  dropStorageTriggers(world.session, ['plugin_a_t', 'plugin_a_u', 'plugin_a_b_t'])
  return world
}

/** Pages of the tables whose names have the prefix, and of their indexes. */
function ownPages(world: MigrationWorld): ReadonlySet<unknown> {
  return new Set(
    world.values(
      "select rootpage from sqlite_schema where lower(tbl_name) like 'plugin\\_a\\_%' escape '\\'",
    ),
  )
}

const touches: Readonly<Record<string, 'p1' | 'p2'>> = {
  OpenRead: 'p2',
  OpenWrite: 'p2',
  ReopenIdx: 'p2',
  Clear: 'p1',
}

test('whatever is accepted touches nothing but tables with the prefix of the plugin', async (t) => {
  const world = await prepare(t)
  const { connection } = world.session
  const others = () =>
    world.values(
      "select type || name || coalesce(sql, '') from sqlite_schema where lower(tbl_name) not like 'plugin\\_a\\_%' escape '\\'",
    )
  const [pages, before] = [ownPages(world), others()]
  let accepted = 0
  let understood = 0
  fc.assert(
    fc.property(statements, (sql) => {
      let checked: ReturnType<typeof checkSql>
      try {
        checked = checkSql('a', sql)
      } catch (error) {
        assert.ok(error instanceof SqlRefused, String(error))
        return
      }
      accepted += 1
      for (const { kind, sql: text } of checked) {
        let codes: { opcode: string; p1: number; p2: number; p3: number }[]
        try {
          codes = connection.prepare(`explain ${text}`).all() as typeof codes
        } catch {
          continue
        }
        understood += 1
        if (kind === 'write') {
          for (const code of codes) {
            const place = touches[code.opcode]
            if (place !== undefined)
              assert.ok(pages.has(code[place]), `${text}: ${code.opcode} ${code[place]}`)
            assert.doesNotMatch(
              code.opcode,
              /^V(?:Open|Filter|Update)|^ParseSchema|^AutoCommit|^Savepoint/,
              text,
            )
          }
          continue
        }
        connection.exec('begin')
        try {
          connection.prepare(text).run()
        } catch {
          // What SQLite refuses by itself changes nothing.
        }
        const after = others()
        assert.ok(connection.inTransaction, text)
        connection.exec('rollback')
        assert.deepEqual(after, before, text)
      }
    }),
    { numRuns: 6000 },
  )
  // The property says something only when much of what is made gets that far.
  assert.ok(accepted > 150 && understood > 30, `${accepted} accepted, ${understood} understood`)
})

test('any text is refused or accepted, in time that grows with its length', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      try {
        checkSql('a', text)
      } catch (error) {
        assert.ok(error instanceof SqlRefused)
      }
    }),
    { numRuns: 1000 },
  )
  for (const piece of ["'", '"', '/*', '--', '(', "x'", '0x', '1e', '.', "''"]) {
    assert.throws(() => checkSql('a', piece.repeat(100_000)), SqlRefused)
  }
})
