import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createDbFixture, type DbFixture } from '../../../helpers/db-plugin.js'

const title = { columns: [{ name: 'title', type: 'text' }] }

describe('db.define_table', () => {
  let fixture: DbFixture
  before(async () => {
    fixture = await createDbFixture()
  })
  after(() => fixture.close())

  it('creates the table with the injected columns around the declared ones and records the owner', () => {
    const plugin = fixture.plugin('maker')
    plugin.ok('define_table', 'items', {
      columns: [
        { name: 'title', type: 'text', not_null: true, unique: true, default: "it's" },
        { name: 'done', type: 'boolean', default: true },
        { name: 'price', type: 'real', default: -1.5 },
      ],
      indexes: [{ columns: ['done', 'created_at'] }],
    })
    const columns = fixture.connection.pragma('table_info(plugin_maker_items)') as { name: string }[]
    assert.deepEqual(
      columns.map(({ name }) => name),
      ['id', 'title', 'done', 'price', 'created_at', 'updated_at'],
    )
    plugin.ok('insert', 'items', {})
    const row = plugin.ok('query_one', 'items') as Record<string, unknown>
    assert.equal(row.title, "it's")
    assert.equal(row.done, 1)
    assert.equal(row.price, -1.5)
    assert.match(String(row.id), /^[0-9A-HJKMNP-TV-Z]{26}$/)
    assert.match(String(row.created_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.equal(plugin.operationsUsed(), 2)
  })

  it('records only columns that the table has, however often a definition changes', () => {
    const plugin = fixture.plugin('shifting')
    const recorded = () =>
      fixture.connection
        .prepare("select columns from plugin_tables where table_name = 'plugin_shifting_t'")
        .get()
    plugin.ok('define_table', 't', title)
    const first = recorded()
    for (let at = 0; at < 5; at += 1) {
      plugin.ok('define_table', 't', { columns: [{ name: `other_${at}`, type: 'text' }] })
    }
    assert.deepEqual(recorded(), first)
    fixture.connection.exec('alter table plugin_shifting_t add column other_1 text')
    plugin.ok('define_table', 't', { columns: [{ name: 'other_1', type: 'json' }] })
    assert.match(JSON.stringify(recorded()), /other_1/)
  })

  it('refuses every mistake with a message that names it', () => {
    const plugin = fixture.plugin('wrong')
    const cases: readonly [string, unknown, RegExp][] = [
      ['', title, /table name cannot be empty/],
      ['a b', title, /invalid table name/],
      ['x"; DROP TABLE plugin_tables; --', title, /invalid table name/],
      ['t'.repeat(60), title, /invalid table name/],
      ['t', {}, /columns cannot be empty/],
      ['t', { columns: ['x'] }, /each column must be a table/],
      ['t', { columns: [{ type: 'text' }] }, /missing 'name'/],
      ['t', { columns: [{ name: 'x' }] }, /missing 'type'/],
      ['t', { columns: [{ name: 'x', type: 'uuid' }] }, /invalid column type/],
      ['t', { columns: [{ name: 'order', type: 'text' }] }, /invalid column name/],
      ['t', { columns: [{ name: '_rowid_', type: 'text' }] }, /invalid column name/],
      ['t', { columns: [{ name: 'id', type: 'text' }] }, /auto-injected/],
      ['t', { columns: [...title.columns, ...title.columns] }, /duplicate column/],
      [
        't',
        { columns: Array.from({ length: 62 }, (_, n) => ({ name: `c${n}`, type: 'text' })) },
        /too many columns/,
      ],
      ['t', { ...title, indexes: [1] }, /each index must be a table/],
      ['t', { ...title, indexes: [{ columns: ['nope'] }] }, /invalid column name/],
      ['t', { ...title, foreign_keys: ['x'] }, /each foreign_key must be a table/],
      ['t', { columns: [{ name: 'x', type: 'text', defualt: 1 }] }, /unknown field "defualt"/],
      [
        't',
        { ...title, foreign_keys: [{ column: 'title', ref_table: 'plugin_other_x', ref_column: 'id' }] },
        /namespace isolation/,
      ],
      [
        't',
        {
          ...title,
          foreign_keys: [{ column: 'title', ref_table: 'plugin_wrong_t', ref_column: 'id', on_delete: 'x' }],
        },
        /on_delete/,
      ],
    ]
    for (const [name, definition, message] of cases)
      assert.match(plugin.raises('define_table', name, definition), message)
    const made = fixture.connection.prepare(
      `select count(*) as n from sqlite_master where name like 'plugin_wrong%'`,
    )
    assert.deepEqual(made.get(), { n: 0 })
  })

  it('takes exactly 61 declared columns', () => {
    const columns = Array.from({ length: 61 }, (_, n) => ({ name: `c${n}`, type: 'text' }))
    fixture.plugin('wide').ok('define_table', 't', { columns })
  })

  it('lets one plugin own a name that two prefixes can spell, and hides it from the other', () => {
    const short = fixture.plugin('task')
    const long = fixture.plugin('task_tracker')
    long.ok('define_table', 'items', title)
    long.ok('insert', 'items', { title: 'secret' })
    assert.match(short.raises('define_table', 'tracker_items', title), /belongs to a table of another plugin/)
    assert.match(short.fails('query', 'tracker_items'), /no such table/)
    assert.match(short.fails('delete', 'tracker_items', { where: { title: 'secret' } }), /no such table/)
    assert.match(short.fails('insert', 'tracker_items', { title: 'x' }), /no such table/)
    assert.match(short.fails('create_index', 'tracker_items', { columns: ['title'] }), /no such table/)
    short.ok('define_table', 'mine', title)
    const joins = [{ table: 'tracker_items', local_col: 'id', foreign_col: 'id' }]
    assert.match(short.fails('query', 'mine', { joins }), /cross-plugin access denied/)
    const foreign = { column: 'title', ref_table: 'plugin_task_tracker_items', ref_column: 'id' }
    assert.match(
      short.raises('define_table', 'spy', { ...title, foreign_keys: [foreign] }),
      /namespace isolation/,
    )
    assert.equal(long.ok('count', 'items'), 1)
  })

  it('reaches no table of the host', () => {
    const plugin = fixture.plugin('x')
    for (const name of ['sqlite_master', 'plugins', 'plugin_tables', '../x', 'main.plugins']) {
      assert.match(plugin.fails('query', name), /no such table|invalid table name/)
    }
  })

  it('reports every difference of a table that exists and does not alter it', () => {
    const plugin = fixture.plugin('drifter')
    plugin.ok('define_table', 'a', { columns: [{ name: 'old', type: 'text' }] })
    plugin.ok('define_table', 'b', title)
    plugin.ok('define_table', 'a', { columns: [{ name: 'fresh', type: 'text' }] })
    plugin.ok('define_table', 'b', { columns: [{ name: 'body', type: 'json' }] })
    assert.deepEqual(
      plugin.reports.map(({ data }) => data),
      [
        { table: 'plugin_drifter_a', kind: 'missing', column: 'fresh' },
        { table: 'plugin_drifter_a', kind: 'extra', column: 'old' },
        { table: 'plugin_drifter_b', kind: 'missing', column: 'body' },
        { table: 'plugin_drifter_b', kind: 'extra', column: 'title' },
      ],
    )
    plugin.ok('insert', 'a', { old: 'x' })
  })

  it('follows foreign keys and indexes their column', () => {
    const plugin = fixture.plugin('family')
    plugin.ok('define_table', 'parents', title)
    plugin.ok('define_table', 'children', {
      columns: [{ name: 'parent_id', type: 'text' }],
      foreign_keys: [
        { column: 'parent_id', ref_table: 'plugin_family_parents', ref_column: 'id', on_delete: 'cascade' },
      ],
    })
    plugin.ok('insert', 'parents', { id: 'p', title: 'x' })
    plugin.ok('insert', 'children', { parent_id: 'p' })
    assert.match(plugin.fails('insert', 'children', { parent_id: 'q' }), /FOREIGN KEY constraint failed/)
    plugin.ok('delete', 'parents', { where: { id: 'p' } })
    assert.equal(plugin.ok('count', 'children'), 0)
    const storage = fixture.connection.prepare('select bytes, rows from plugin_storage where plugin_name = ?')
    assert.deepEqual(storage.get('family'), { bytes: 0, rows: 0 })
  })
})

describe('db.create_index', () => {
  it('makes an index once, also where two column lists spell the same name', async () => {
    const fixture = await createDbFixture()
    const plugin = fixture.plugin('ix')
    plugin.ok('define_table', 't', {
      columns: ['a', 'b', 'a_b'].map((name) => ({ name, type: 'text' })),
    })
    plugin.ok('create_index', 't', { columns: ['a', 'b'] })
    plugin.ok('create_index', 't', { columns: ['a', 'b'] })
    plugin.ok('create_index', 't', { columns: ['a_b'], unique: true })
    const names = fixture.connection
      .prepare(
        `select name from sqlite_master where type = 'index' and sql is not null and tbl_name = 'plugin_ix_t'`,
      )
      .pluck()
      .all()
    assert.deepEqual(names, ['idx_plugin_ix_t_a_b', 'idx_plugin_ix_t_a_b__2'])
    assert.match(plugin.fails('create_index', 't', {}), /create_index:/)
    assert.match(plugin.fails('create_index', 't', { columns: ['nope'] }), /create_index: no such column/)
    await fixture.close()
  })
})

describe('storage of a plugin', () => {
  it('is counted exactly through inserts, updates, upserts and deletes, and bounded by the quota', async () => {
    const fixture = await createDbFixture()
    const plugin = fixture.plugin('store', { storageBytesMax: 2000 })
    plugin.ok('define_table', 't', { columns: [{ name: 'body', type: 'text', unique: true }] })
    const used = () =>
      fixture.connection.prepare('select bytes, rows from plugin_storage where plugin_name = ?').get('store')
    const rowBytes = 64 + 26 + 20 + 20
    plugin.ok('insert', 't', { body: 'é' })
    assert.deepEqual(used(), { bytes: rowBytes + 2, rows: 1 })
    plugin.ok('update', 't', { set: { body: 'abcd' }, where: { body: 'é' } })
    assert.deepEqual(used(), { bytes: rowBytes + 4, rows: 1 })
    plugin.ok('upsert', 't', { values: { body: 'abcd' }, conflict_columns: ['body'], do_nothing: true })
    assert.deepEqual(used(), { bytes: rowBytes + 4, rows: 1 })
    const message = plugin.fails('insert', 't', { body: 'x'.repeat(2000) })
    assert.match(message, /storage quota exceeded: 134 of 2000 bytes/)
    assert.match(message, /delete rows/)
    assert.match(
      plugin.fails('update', 't', { set: { body: 'x'.repeat(3000) }, where: { body: 'abcd' } }),
      /quota/,
    )
    assert.deepEqual(used(), { bytes: rowBytes + 4, rows: 1 })
    plugin.ok('delete', 't', { where: { body: 'abcd' } })
    assert.deepEqual(used(), { bytes: 0, rows: 0 })
    await fixture.close()
  })
})

describe('an index on large values', () => {
  it('is refused, for building it is native work that holds the lock of all writers', async () => {
    const fixture = await createDbFixture()
    const plugin = fixture.plugin('heavy', { storageBytesMax: 64 * 1024 * 1024 })
    plugin.ok('define_table', 't', {
      columns: [
        { name: 'body', type: 'text' },
        { name: 'kind', type: 'text' },
      ],
    })
    for (let at = 0; at < 33; at += 1) plugin.ok('insert', 't', { body: 'x'.repeat(1024 * 1024), kind: 'a' })
    assert.match(
      plugin.fails('create_index', 't', { columns: ['kind', 'body'] }),
      /columns hold 346\d+ bytes/,
    )
    plugin.ok('create_index', 't', { columns: ['kind'] })
    plugin.ok('delete', 't', { where: { kind: 'a' } })
    plugin.ok('create_index', 't', { columns: ['kind', 'body'] })
    await fixture.close()
  })
})
