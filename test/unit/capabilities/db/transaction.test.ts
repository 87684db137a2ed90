import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { dbLimits } from '../../../../src/base/limits/database.js'
import { makeComparison } from '../../../../src/capabilities/db/operators.js'
import { createDbFixture, type DbFixture, type DbPlugin } from '../../../helpers/db-plugin.js'

const columns = {
  columns: [
    { name: 'n', type: 'integer' },
    { name: 'text', type: 'text' },
  ],
}

describe('db.transaction', () => {
  let fixture: DbFixture
  let plugin: DbPlugin
  beforeEach(async () => {
    fixture = await createDbFixture()
    plugin = fixture.plugin('bank')
    plugin.ok('define_table', 't', columns)
  })
  afterEach(() => fixture.close())

  it('makes changes together or not at all and holds the thread only while it is open', () => {
    plugin.ok('_begin')
    plugin.ok('insert', 't', { n: 1 })
    plugin.ok('_rollback')
    assert.equal(plugin.ok('count', 't'), 0)
    plugin.ok('_begin')
    plugin.ok('insert', 't', { n: 1 })
    plugin.ok('_commit')
    assert.equal(plugin.ok('count', 't'), 1)
    assert.equal(plugin.holds.filter((hold) => hold !== undefined).length, 2)
    assert.equal(plugin.holds.at(-1), undefined)
  })

  it('refuses to nest, and works again afterwards', () => {
    plugin.ok('_begin')
    assert.match(plugin.raises('_begin'), /nested transactions/)
    assert.match(plugin.raises('define_table', 'u', columns), /inside a transaction/)
    plugin.ok('_rollback')
    plugin.ok('_begin')
    plugin.ok('_commit')
  })

  it('keeps going after a failed statement, which undoes itself only', () => {
    plugin.ok('_begin')
    plugin.ok('insert', 't', { id: 'x' })
    assert.match(
      plugin.fails(
        'insert_many',
        't',
        ['id'],
        Array.from({ length: 150 }, (_, n) => [n < 149 ? `r${n}` : 'x']),
      ),
      /UNIQUE/,
    )
    plugin.ok('_commit')
    assert.equal(plugin.ok('count', 't'), 1)
  })

  it('is rolled back when the call ends without it, as after a kill', () => {
    plugin.ok('_begin')
    plugin.ok('insert', 't', { n: 1 })
    plugin.endCall()
    assert.equal(fixture.connection.inTransaction, false)
    assert.equal(plugin.ok('count', 't'), 0)
    plugin.ok('_begin')
    plugin.ok('_commit')
  })

  it('keeps other calls of the thread out while it is open', () => {
    const other = fixture.plugin('other')
    other.ok('define_table', 't', columns)
    plugin.ok('_begin')
    assert.match(other.fails('insert', 't', { n: 1 }), /busy/)
    assert.match(other.fails('query', 't'), /busy/)
    assert.match(other.fails('_begin'), /busy/)
    plugin.ok('_rollback')
    other.ok('insert', 't', { n: 1 })
  })

  it('is rolled back when its time is over: calls inside raise and the commit fails', async () => {
    plugin.ok('_begin')
    plugin.ok('insert', 't', { n: 1 })
    await pause(dbLimits.transactionMs + 20)
    assert.match(plugin.raises('insert', 't', { n: 2 }), /longer than 500 ms and was rolled back/)
    assert.match(plugin.raises('query', 't'), /rolled back/)
    assert.match(plugin.fails('_commit'), /rolled back/)
    assert.equal(plugin.ok('count', 't'), 0)
  })

  it('is rolled back at the commit when no call noticed before', async () => {
    plugin.ok('_begin')
    plugin.ok('insert', 't', { n: 1 })
    await pause(dbLimits.transactionMs + 20)
    assert.match(plugin.fails('_commit'), /rolled back/)
    assert.equal(plugin.ok('count', 't'), 0)
  })
})

describe('statements that would run long', () => {
  let fixture: DbFixture
  beforeEach(async () => {
    fixture = await createDbFixture()
  })
  afterEach(() => fixture.close())

  function fill(plugin: DbPlugin, table: string, rows: number): void {
    plugin.ok('define_table', table, columns)
    for (let at = 0; at < rows; at += 1000) {
      plugin.ok(
        'insert_many',
        table,
        ['n', 'text'],
        Array.from({ length: 1000 }, (_, n) => [at + n, 'aaaaaaaaaa']),
      )
    }
  }

  it('stops a hostile join at the deadline of the call and leaves the connection usable', () => {
    const plugin = fixture.plugin('joiner', { timeMs: 100 })
    for (const table of ['a', 'b', 'c']) fill(fixture.plugin('joiner'), table, 2000)
    const joins = ['b', 'c'].map((table) => ({ table, local_col: 'text', foreign_col: 'text' }))
    const before = performance.now()
    const message = plugin.fails('count', 'a', { joins })
    assert.match(message, /statement stopped: the time of this call is over/)
    assert.ok(performance.now() - before < 5000)
    assert.equal(fixture.connection.inTransaction, false)
    assert.equal(fixture.plugin('joiner').ok('count', 'a'), 2000)
  })

  it('stops a long write, undoes it, and ends a transaction that it belongs to', () => {
    const plugin = fixture.plugin('slow', { timeMs: 0 })
    fill(fixture.plugin('slow'), 'a', 3000)
    const where = { text: makeComparison('like', '%a%b') }
    assert.match(plugin.fails('update', 'a', { set: { n: -1 }, where }), /statement stopped/)
    assert.match(plugin.fails('delete', 'a', { where: { n: makeComparison('gte', 0) } }), /statement stopped/)
    assert.equal(fixture.plugin('slow').ok('count', 'a'), 3000)
  })

  it('stops cascades too', () => {
    const plugin = fixture.plugin('tree')
    plugin.ok('define_table', 'p', columns)
    plugin.ok('define_table', 'c', {
      columns: [{ name: 'p_id', type: 'text' }],
      foreign_keys: [{ column: 'p_id', ref_table: 'p', ref_column: 'id', on_delete: 'CASCADE' }],
    })
    plugin.ok('insert', 'p', { id: 'x' })
    plugin.ok(
      'insert_many',
      'c',
      ['p_id'],
      Array.from({ length: 100 }, () => ['x']),
    )
    const triggers = () =>
      fixture.connection
        .prepare(`select count(*) from sqlite_temp_master where type = 'trigger'`)
        .pluck()
        .get()
    plugin.ok('delete', 'p', { where: { id: 'none' } })
    assert.equal(triggers(), 1)
    const hurried = fixture.plugin('tree', { timeMs: 0 })
    assert.match(hurried.fails('delete', 'p', { where: { id: 'x' } }), /statement stopped/)
    assert.equal(plugin.ok('count', 'c'), 100)
    plugin.ok('delete', 'p', { where: { id: 'x' } })
    assert.equal(plugin.ok('count', 'c'), 0)
  })

  it('uses the index of a column beside the deadline check', () => {
    const plugin = fixture.plugin('fast')
    plugin.ok('define_table', 't', { ...columns, indexes: [{ columns: ['n'] }] })
    const plan = fixture.connection
      .prepare('explain query plan select * from plugin_fast_t as t where plugin_tick(t._rowid_) and t.n = ?')
      .all(1) as { detail: string }[]
    assert.match(plan.map(({ detail }) => detail).join(), /USING INDEX idx_plugin_fast_t_n/)
  })
})
