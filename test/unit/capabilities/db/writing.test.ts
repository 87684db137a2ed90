import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { makeComparison, makeNullTest } from '../../../../src/capabilities/db/operators.js'
import { createDbFixture, type DbFixture, type DbPlugin } from '../../../helpers/db-plugin.js'

describe('writing with db', () => {
  let fixture: DbFixture
  let plugin: DbPlugin
  const one = (where: unknown) => plugin.ok('query_one', 'items', { where }) as Record<string, unknown>

  before(async () => {
    fixture = await createDbFixture()
    plugin = fixture.plugin('writer')
    plugin.ok('define_table', 'items', {
      columns: [
        { name: 'name', type: 'text', unique: true },
        { name: 'size', type: 'integer' },
        { name: 'done', type: 'boolean' },
        { name: 'meta', type: 'json' },
        { name: 'raw', type: 'blob' },
      ],
    })
  })
  after(() => fixture.close())

  it('stores and gives back each kind of value by one contract', () => {
    plugin.ok('insert', 'items', {
      name: 5,
      size: 9_007_199_254_740_993n,
      done: true,
      meta: { b: [1, null, { z: true }], a: 'x"y' },
      raw: Buffer.from([0, 255, 1]),
    })
    const row = one({ name: '5' })
    assert.equal(row.name, '5')
    assert.equal(row.size, 9_007_199_254_740_993n)
    assert.equal(row.done, 1)
    assert.equal(row.meta, '{"a":"x\\"y","b":[1,null,{"z":true}]}')
    assert.deepEqual(row.raw, Buffer.from([0, 255, 1]))
    plugin.ok('update', 'items', { set: { size: 2.5, meta: 'as written', done: 0 }, where: { name: '5' } })
    const changed = one({ name: '5' })
    assert.deepEqual([changed.size, changed.meta, changed.done], [2.5, 'as written', 0])
    plugin.ok('update', 'items', { set: { size: null }, where: { name: '5' } })
    assert.equal('size' in one({ name: '5' }), false)
    assert.match(plugin.fails('insert', 'items', { done: 2 }), /is boolean/)
    assert.match(plugin.fails('insert', 'items', { name: {} }), /expected a value/)
    assert.match(plugin.fails('insert', 'items', { size: Number.NaN }), /NaN/)
    assert.match(
      plugin.fails('insert', 'items', { meta: makeNullTest('is_null') }),
      /cannot be stored as JSON/,
    )
  })

  it('keeps an explicit id and explicit times', () => {
    plugin.ok('insert', 'items', { id: 'mine', created_at: 'then', updated_at: 'later', name: 'explicit' })
    const row = one({ id: 'mine' })
    assert.deepEqual([row.created_at, row.updated_at], ['then', 'later'])
    plugin.ok(
      'insert_many',
      'items',
      ['id', 'name'],
      [
        ['m1', 'many'],
        ['m2', null],
      ],
    )
    assert.equal(one({ id: 'm1' }).name, 'many')
    plugin.ok('update', 'items', { set: { name: 'renamed' }, where: { id: 'mine' } })
    assert.notEqual(one({ id: 'mine' }).updated_at, 'later')
  })

  it('refuses a value beyond one MiB and takes one of exactly that size', () => {
    const bytes = 1024 * 1024
    plugin.ok('insert', 'items', { name: 'é'.repeat(bytes / 2) })
    assert.match(
      plugin.fails('insert', 'items', { name: `${'é'.repeat(bytes / 2)}x` }),
      /the limit is 1048576/,
    )
  })

  it('passes constraints on with short names only', () => {
    plugin.ok('insert', 'items', { name: 'twice' })
    const message = plugin.fails('insert', 'items', { name: 'twice' })
    assert.equal(message, 'UNIQUE constraint failed: items.name')
    assert.match(plugin.fails('insert', 'items', { nope: 1 }), /nope/)
    assert.match(plugin.fails('insert', 'items', { 'x" text': 1 }), /invalid insert column/)
  })

  it('raises for updates and deletes that would touch every row', () => {
    const before = plugin.ok('count', 'items')
    assert.match(plugin.raises('update', 'items', { where: { name: 'x' } }), /'set'/)
    assert.match(plugin.raises('update', 'items', { set: {}, where: { name: 'x' } }), /'set'/)
    assert.match(plugin.raises('update', 'items', { set: { name: 'x' } }), /non-empty where/)
    assert.match(plugin.raises('delete', 'items', { where: { name: undefined } }), /non-empty where/)
    assert.match(plugin.raises('delete', 'items', { where_or: [{}, {}] }), /non-empty where/)
    assert.match(
      plugin.fails('delete', 'items', { where: [['name', 'IS NULL']] }),
      /at least one value binding/,
    )
    assert.match(plugin.fails('delete', 'items', { where: { name: 'a' }, limit: 1 }), /unknown option/)
    assert.equal(plugin.ok('count', 'items'), before)
  })

  it('honours where_or and operators in updates and deletes', () => {
    plugin.ok(
      'insert_many',
      'items',
      ['name', 'size'],
      [
        ['d1', 1001],
        ['d2', 1002],
        ['d3', 1003],
        ['d4', 1004],
      ],
    )
    plugin.ok('update', 'items', {
      set: { done: true },
      where: [['size', '>', 1000]],
      where_or: [{ size: 1001 }, { size: makeComparison('gte', 1004) }],
    })
    assert.equal(plugin.ok('count', 'items', { where: { done: true, size: makeComparison('gt', 1000) } }), 2)
    plugin.ok('delete', 'items', {
      where: { size: makeComparison('gt', 1000) },
      where_or: [{ name: 'd1' }, { name: 'd2' }],
    })
    assert.equal(plugin.ok('count', 'items', { where: { size: makeComparison('gt', 1000) } }), 2)
  })

  it('upserts: fills in for the inserted row and never changes id or created_at of one that exists', () => {
    const values = { name: 'up', size: 1 }
    plugin.ok('upsert', 'items', { values, conflict_columns: ['name'] })
    const made = one({ name: 'up' })
    plugin.ok('update', 'items', { set: { updated_at: 'old' }, where: { name: 'up' } })
    plugin.ok('upsert', 'items', { values: { ...values, id: 'other', size: 2 }, conflict_columns: ['name'] })
    const changed = one({ name: 'up' })
    assert.deepEqual([changed.id, changed.created_at, changed.size], [made.id, made.created_at, 2])
    assert.notEqual(changed.updated_at, 'old')
    plugin.ok('upsert', 'items', {
      values: { ...values, size: 9 },
      conflict_columns: ['name'],
      do_nothing: true,
    })
    assert.equal(one({ name: 'up' }).size, 2)
    plugin.ok('upsert', 'items', { values, conflict_columns: ['name'], update: { size: 7 } })
    assert.equal(one({ name: 'up' }).size, 7)
    const fails = (options: object) =>
      plugin.fails('upsert', 'items', { values, conflict_columns: ['name'], ...options })
    assert.match(fails({ update: { size: 1 }, do_nothing: true }), /mutually exclusive/)
    assert.match(fails({ update: { name: 'x' } }), /cannot also be a conflict column/)
    assert.match(fails({ update: { id: 'x' } }), /never changes "id"/)
    assert.match(fails({ values: { name: 'only' } }), /do_nothing/)
    assert.match(plugin.raises('upsert', 'items', { conflict_columns: ['name'] }), /values/)
    assert.match(plugin.raises('upsert', 'items', { values }), /conflict_columns/)
  })

  it('inserts many rows all or none and charges one operation for each batch', () => {
    const poor = fixture.plugin('poor', { operationsMax: 3 })
    poor.ok('define_table', 't', { columns: [{ name: 'n', type: 'integer', unique: true }] })
    const rows = Array.from({ length: 201 }, (_, n) => [n])
    poor.ok('insert_many', 't', ['n'], rows)
    assert.equal(poor.operationsUsed(), 3)
    assert.match(poor.fails('insert_many', 't', ['n'], [[1000]]), /insert_many: .*operation limit/)
    const many = fixture.plugin('many')
    many.ok('define_table', 't', { columns: [{ name: 'n', type: 'integer', unique: true }] })
    const twice = [...rows, [0]]
    assert.match(many.fails('insert_many', 't', ['n'], twice), /UNIQUE/)
    assert.equal(many.ok('count', 't'), 0)
    for (const [columns, list] of [
      [[], [[1]]],
      [['n'], []],
      [['n'], [[1, 2]]],
      [['n'], [{ n: 1 }]],
      [['n'], Array.from({ length: 1001 }, (_, n) => [n])],
      [['n', 'N'], [[1, 2]]],
    ]) {
      assert.match(many.fails('insert_many', 't', columns, list), /^insert_many: /)
    }
  })
})
