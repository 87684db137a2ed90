import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  makeAggregate,
  makeComparison,
  makeMembership,
  makeNullTest,
  makeRange,
} from '../../../../src/capabilities/db/operators.js'
import { LuaRaise, type Tagged } from '../../../../src/sandbox/lua-value.js'
import { createDbFixture, type DbFixture, type DbPlugin } from '../../../helpers/db-plugin.js'

describe('db.query', () => {
  let fixture: DbFixture
  let plugin: DbPlugin
  const titles = (options: unknown): unknown =>
    (plugin.ok('query', 'tasks', options) as { title: string }[]).map(({ title }) => title)

  before(async () => {
    fixture = await createDbFixture()
    plugin = fixture.plugin('shop')
    plugin.ok('define_table', 'groups', { columns: [{ name: 'name', type: 'text' }] })
    plugin.ok('define_table', 'tasks', {
      columns: [
        { name: 'title', type: 'text' },
        { name: 'group_id', type: 'text' },
        { name: 'points', type: 'integer' },
        { name: 'done', type: 'boolean' },
        { name: 'due', type: 'timestamp' },
      ],
    })
    plugin.ok(
      'insert_many',
      'groups',
      ['id', 'name'],
      [
        ['g1', 'home'],
        ['g2', 'work'],
        ['g3', 'empty'],
      ],
    )
    plugin.ok(
      'insert_many',
      'tasks',
      ['id', 'title', 'group_id', 'points', 'done', 'due'],
      [
        ['1', 'ant', 'g1', 1, false, '2024-01-01T00:00:00Z'],
        ['2', 'bee', 'g1', 2, true, null],
        ['3', 'cat', 'g2', 3, false, null],
        ['4', 'dog', 'g2', 4, true, '2024-02-01T00:00:00Z'],
        ['5', 'elk', 'g9', 5, false, null],
      ],
    )
  })
  after(() => fixture.close())

  it('leaves NULL out of rows and gives booleans as 1 and 0', () => {
    assert.deepEqual(plugin.ok('query', 'tasks', { columns: ['title', 'done', 'due'], where: { id: '2' } }), [
      { title: 'bee', done: 1 },
    ])
    assert.equal(plugin.ok('query_one', 'tasks', { where: { id: 'none' } }), undefined)
    assert.deepEqual(plugin.ok('query', 'tasks', { where: { id: 'none' } }), [])
  })

  it('honours every operator of the map style', () => {
    const cases: readonly [unknown, string[]][] = [
      [{ points: makeComparison('eq', 2) }, ['bee']],
      [{ points: makeComparison('neq', 2) }, ['ant', 'cat', 'dog', 'elk']],
      [{ points: makeComparison('gt', 3), done: false }, ['elk']],
      [{ points: makeComparison('lte', 2) }, ['ant', 'bee']],
      [{ title: makeComparison('like', '%E%') }, ['bee', 'elk']],
      [{ title: makeComparison('not_like', '_e_') }, ['ant', 'cat', 'dog', 'elk']],
      [{ points: makeMembership('in_list', [1, 3, 9]) }, ['ant', 'cat']],
      [{ points: makeMembership('not_in', [[1, 3, 9]]) }, ['bee', 'dog', 'elk']],
      [{ points: makeRange(2, 3) }, ['bee', 'cat']],
      [{ due: makeNullTest('is_null') }, ['bee', 'cat', 'elk']],
      [{ due: null }, ['bee', 'cat', 'elk']],
      [{ due: makeComparison('neq', null) }, ['ant', 'dog']],
      [{ 'tasks.points': 5 }, ['elk']],
      [{ 'plugin_shop_tasks.points': 5 }, ['elk']],
    ]
    for (const [where, expected] of cases) assert.deepEqual(titles({ where, order_by: 'id' }), expected)
  })

  it('honours condition lists', () => {
    const cases: readonly [unknown, string[]][] = [
      [
        ['points', '>=', 4],
        ['dog', 'elk'],
      ],
      [
        [
          ['points', '>', 1],
          ['points', '!=', 3],
        ],
        ['bee', 'dog', 'elk'],
      ],
      [
        [
          [
            'OR',
            [
              ['points', '=', 1],
              ['title', 'like', 'd%'],
            ],
          ],
        ],
        ['ant', 'dog'],
      ],
      [
        ['NOT', ['points', 'IN', [1, 2, 3]]],
        ['dog', 'elk'],
      ],
      [
        [
          'AND',
          [
            ['due', 'IS NULL'],
            ['points', 'BETWEEN', [2, 4]],
          ],
        ],
        ['bee', 'cat'],
      ],
      [
        ['due', 'IS NOT NULL'],
        ['ant', 'dog'],
      ],
    ]
    for (const [where, expected] of cases) assert.deepEqual(titles({ where, order_by: 'id' }), expected)
  })

  it('combines where and where_or, in queries, counts and existence tests', () => {
    const options = { where: { done: false }, where_or: [{ points: 1 }, [['points', '>', 4]], {}] }
    assert.deepEqual(titles({ ...options, order_by: 'id' }), ['ant', 'elk'])
    assert.equal(plugin.ok('count', 'tasks', options), 2)
    assert.equal(
      plugin.ok('exists', 'tasks', { where: [['points', '=', 9]], where_or: [{ points: 1 }] }),
      false,
    )
    assert.equal(plugin.ok('exists', 'tasks', options), true)
  })

  it('joins with conditions, aggregates, having and order together', () => {
    const joins = [{ type: 'left', table: 'groups', local_col: 'group_id', foreign_col: 'id' }]
    assert.deepEqual(
      plugin.ok('query', 'tasks', {
        columns: [
          'groups.name',
          makeAggregate('sum', 'points', 'total'),
          makeAggregate('count', '*', undefined),
        ],
        joins,
        where: [['points', '<', 5]],
        group_by: ['groups.name'],
        having: { total: makeComparison('gt', 3) },
        order_by: [{ column: 'total', desc: true }],
      }),
      [{ name: 'work', total: 7, count: 2 }],
    )
    const both = plugin.ok('query_one', 'tasks', { joins, where: { 'tasks.id': '1' } }) as Record<
      string,
      unknown
    >
    assert.equal(both.id, '1')
    assert.equal(both['groups.id'], 'g1')
    assert.equal(both.name, 'home')
    assert.equal(plugin.ok('count', 'tasks', { joins: [{ ...joins[0], type: 'inner' }] }), 4)
    assert.equal(plugin.ok('count', 'tasks', { joins: [{ ...joins[0], type: 'right' }] }), 5)
  })

  it('keeps a map-style filter beside an aggregate and a having in the condition style', () => {
    const total = makeAggregate('sum', 'points', undefined)
    assert.deepEqual(plugin.ok('query', 'tasks', { columns: [total], where: { done: true } }), [
      { sum_points: 6 },
    ])
    assert.deepEqual(
      plugin.ok('query', 'tasks', {
        columns: ['group_id'],
        where: { done: false },
        group_by: ['group_id'],
        having: [[makeAggregate('max', 'points', undefined), '>', 2]],
        order_by: [{ column: 'group_id' }],
      }),
      [{ group_id: 'g2' }, { group_id: 'g9' }],
    )
  })

  it('orders, limits, skips and removes duplicates; query_one takes the first', () => {
    assert.deepEqual(titles({ order_by: 'points', desc: true, limit: 2, offset: 1 }), ['dog', 'cat'])
    assert.deepEqual(plugin.ok('query', 'tasks', { columns: ['done'], distinct: true, order_by: 'done' }), [
      { done: 0 },
      { done: 1 },
    ])
    const last = plugin.ok('query_one', 'tasks', {
      where: [['points', '>', 0]],
      order_by: 'points',
      desc: true,
    })
    assert.equal((last as { title: string }).title, 'elk')
  })

  it('gives 100 rows unless told otherwise and never more than 10000', () => {
    plugin.ok('define_table', 'many', { columns: [{ name: 'n', type: 'integer' }] })
    for (let at = 0; at < 11; at += 1) {
      plugin.ok(
        'insert_many',
        'many',
        ['n'],
        Array.from({ length: 1000 }, (_, n) => [n]),
      )
    }
    const rows = (options: unknown) => (plugin.ok('query', 'many', options) as unknown[]).length
    assert.equal(rows({}), 100)
    assert.equal(rows({ limit: 0 }), 100)
    assert.equal(rows({ limit: 'x' }), 100)
    assert.equal(rows({ limit: 20_000 }), 10_000)
  })

  it('refuses what it does not understand instead of leaving it out', () => {
    const deep = (levels: number): unknown => (levels === 0 ? ['points', '=', 1] : ['NOT', deep(levels - 1)])
    const cases: readonly [unknown, RegExp][] = [
      [{ were: {} }, /unknown option "were"/],
      [{ where: 'x' }, /where must be a table/],
      [{ where: { points: { op: 'gt', value: 0 } } }, /expected a value/],
      [{ where: { points: [1, 2] } }, /expected a value/],
      [{ where: { points: makeAggregate('sum', 'points', undefined) } }, /unsupported operator/],
      [{ where: { 'x;--': 1 } }, /invalid where column/],
      [{ where: { 1: ['a', '=', 1], status: 'x' } }, /cannot mix string keys/],
      [{ where: { 1: ['a', '=', 1], 3: ['b', '=', 1] } }, /non-contiguous/],
      [{ where: [['points', '~', 1]] }, /invalid condition operator/],
      [{ where: [['points', '=']] }, /nil/],
      [{ where: [['points', 'IN', []]] }, /at least one value/],
      [{ where: [['points', 'IN', Array.from({ length: 501 }, (_, n) => n)]] }, /exceeds maximum values/],
      [{ where: [['points', 'BETWEEN', [1]]] }, /two non-nil values/],
      [{ where: deep(11) }, /maximum depth/],
      [{ where: Array.from({ length: 51 }, () => ['points', '=', 1]) }, /maximum node count/],
      [{ where: { title: makeComparison('like', 5) } }, /requires a string value/],
      [{ where: { title: makeComparison('like', '%'.repeat(17)) } }, /wildcards/],
      [{ where: { title: makeComparison('like', 'a'.repeat(129)) } }, /pattern has 129 bytes/],
      [{ order_by: 'created_at DESC' }, /desc = true/],
      [{ order_by: Array.from({ length: 9 }, () => ({ column: 'id' })) }, /too many order_by/],
      [{ order_by: 'nope' }, /no such column: tasks\.nope/],
      [{ group_by: ['a b'] }, /invalid group_by column/],
      [{ having: { points: 1 } }, /having requires group_by/],
      [{ columns: [{ fn: 'sum' }] }, /must be an aggregate/],
      [{ columns: [makeAggregate('sum', '*', undefined)] }, /does not support \*/],
      [{ columns: Array.from({ length: 65 }, () => 'id') }, /too many select columns/],
      [{ joins: [{ table: 'groups', local_col: 'id' }] }, /missing 'foreign_col'/],
      [
        { joins: [{ type: 'cross', table: 'groups', local_col: 'id', foreign_col: 'id' }] },
        /invalid join type/,
      ],
      [{ joins: [{ table: 'tasks', local_col: 'id', foreign_col: 'id' }] }, /a table twice/],
      [{ where: { 'groups.name': 'x' } }, /add it to joins/],
    ]
    for (const [options, message] of cases) assert.match(plugin.fails('query', 'tasks', options), message)
    assert.match(plugin.fails('count', 'tasks', { group_by: ['done'] }), /unknown option "group_by"/)
  })

  it('takes limits exactly', () => {
    const deep = (levels: number): unknown => (levels === 0 ? ['points', '=', 1] : ['NOT', deep(levels - 1)])
    assert.deepEqual(titles({ where: deep(10) }), ['ant'])
    assert.deepEqual(titles({ where: Array.from({ length: 50 }, () => ['points', '=', 1]) }), ['ant'])
    assert.deepEqual(titles({ where: [['points', 'IN', Array.from({ length: 500 }, (_, n) => n + 5)]] }), [
      'elk',
    ])
    assert.deepEqual(titles({ where: { title: makeComparison('like', '%'.repeat(16)) }, limit: 1 }), ['ant'])
  })

  it('does not trust the fields of an operator that Lua code has changed', () => {
    const changed = (fields: Record<string, unknown>): Tagged => {
      const condition = makeComparison('eq', 1)
      Object.assign(condition.fields, fields)
      return condition
    }
    assert.match(
      plugin.fails('query', 'tasks', { where: { points: changed({ op: '= 1 or 1' }) } }),
      /unsupported/,
    )
    assert.match(
      plugin.fails('query', 'tasks', { where: { points: changed({ op: 'toString' }) } }),
      /unsupported/,
    )
    assert.match(
      plugin.fails('query', 'tasks', { where: { points: changed({ value: {} }) } }),
      /expected a value/,
    )
  })

  it('raises where a condition is made of nil', () => {
    assert.throws(() => makeComparison('eq', undefined), /condition value cannot be nil/)
    assert.throws(() => makeComparison('gt', null), LuaRaise)
    assert.throws(() => makeRange(1, undefined), /requires two non-nil values/)
    assert.throws(() => makeMembership('in_list', []), /requires at least one value/)
    assert.throws(() => makeMembership('in_list', [[]]), /requires at least one value/)
  })
})
