import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { createDbFixture, type DbFixture, type DbPlugin } from '../../../helpers/db-plugin.js'

interface Row {
  readonly id: string
  readonly a: number | null
  readonly b: string | null
}

/** SQL's three truth values: undefined is unknown. */
type Truth = boolean | undefined
type Node = readonly unknown[]

const operators = ['=', '<>', '>', '<', '>=', '<='] as const
const rows: readonly Row[] = Array.from({ length: 24 }, (_, at) => ({
  id: `r${String(at).padStart(2, '0')}`,
  a: at % 5 === 4 ? null : at % 4,
  b: at % 7 === 6 ? null : (['x', "y'", 'z"', '%'][at % 4] ?? null),
}))

const leaf: fc.Arbitrary<Node> = fc.oneof(
  fc.tuple(fc.constant('a'), fc.constantFrom(...operators), fc.integer({ min: -1, max: 4 })),
  fc.tuple(fc.constant('b'), fc.constantFrom(...operators), fc.constantFrom('x', "y'", 'z"', '%', '')),
  fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom('IS NULL', 'IS NOT NULL')),
  fc.tuple(
    fc.constant('a'),
    fc.constant('IN'),
    fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 5 }),
  ),
  fc.tuple(
    fc.constant('a'),
    fc.constant('BETWEEN'),
    fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
  ),
)

const { tree } = fc.letrec<{ tree: Node }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'tree' },
    leaf,
    fc.tuple(fc.constantFrom('AND', 'or'), fc.array(tie('tree'), { minLength: 1, maxLength: 3 })),
    fc.tuple(fc.constant('NOT'), tie('tree')),
    fc.array(tie('tree'), { minLength: 1, maxLength: 2 }),
  ),
}))

function holds(node: Node, row: Row): Truth {
  const [head, second, third] = node
  if (typeof head !== 'string') return every(node as readonly Node[], row)
  if (head === 'AND') return every(second as readonly Node[], row)
  if (head === 'or')
    return not(
      every(
        (second as readonly Node[]).map((item) => ['NOT', item]),
        row,
      ),
    )
  if (head === 'NOT') return not(holds(second as Node, row))
  const value = row[head as 'a' | 'b']
  if (second === 'IS NULL') return value === null
  if (second === 'IS NOT NULL') return value !== null
  if (value === null) return undefined
  if (second === 'IN') return (third as unknown[]).includes(value)
  if (second === 'BETWEEN') {
    const [low = 0, high = 0] = third as number[]
    return Number(value) >= low && Number(value) <= high
  }
  return compare(second as (typeof operators)[number], value, third as number | string)
}

function compare(op: (typeof operators)[number], left: number | string, right: number | string): boolean {
  if (op === '=') return left === right
  if (op === '<>') return left !== right
  if (op === '>') return left > right
  if (op === '<') return left < right
  return op === '>=' ? left >= right : left <= right
}

function every(nodes: readonly Node[], row: Row): Truth {
  const results = nodes.map((node) => holds(node, row))
  if (results.includes(false)) return false
  return results.includes(undefined) ? undefined : true
}

function not(truth: Truth): Truth {
  return truth === undefined ? undefined : !truth
}

describe('filters', () => {
  let fixture: DbFixture
  let plugin: DbPlugin
  const schema = (): unknown =>
    fixture.connection.prepare('select type, name, sql from sqlite_master order by name').all()
  const others = (): unknown => fixture.connection.prepare('select * from plugin_neighbour_t').all()

  before(async () => {
    fixture = await createDbFixture()
    plugin = fixture.plugin('prop')
    const columns = [
      { name: 'a', type: 'integer' },
      { name: 'b', type: 'text' },
    ]
    plugin.ok('define_table', 't', { columns, indexes: [{ columns: ['a'] }] })
    plugin.ok(
      'insert_many',
      't',
      ['id', 'a', 'b'],
      rows.map(({ id, a, b }) => [id, a, b]),
    )
    const neighbour = fixture.plugin('neighbour')
    neighbour.ok('define_table', 't', { columns })
    neighbour.ok('insert', 't', { a: 1, b: 'theirs' })
  })
  after(() => fixture.close())

  it('select the rows that the same tree selects in memory', () => {
    fc.assert(
      fc.property(tree, (where) => {
        const expected = rows.filter((row) => holds(where, row) === true).map(({ id }) => id)
        const found = plugin.ok('query', 't', { where, order_by: 'id' }) as Row[]
        assert.deepEqual(
          found.map(({ id }) => id),
          expected,
        )
        assert.equal(plugin.ok('count', 't', { where }), expected.length)
      }),
      { numRuns: 150 },
    )
  })

  it('never let names or values change the schema or the rows of others', () => {
    const hostile = fc.oneof(
      fc.string(),
      fc.constantFrom(
        't" where 1=1; --',
        'plugin_neighbour_t',
        '__proto__',
        'a"."b',
        "'; drop table t; --",
        'main.t',
        '\0',
      ),
    )
    const schemaBefore = schema()
    const othersBefore = others()
    fc.assert(
      fc.property(hostile, hostile, hostile, (table, column, value) => {
        for (const [fn, options] of [
          ['query', { where: { [column]: value }, columns: [column], order_by: column }],
          [
            'query',
            {
              where: [[column, value, value]],
              group_by: [column],
              joins: [{ table, local_col: column, foreign_col: value }],
            },
          ],
          ['delete', { where: { [column]: value } }],
          ['update', { set: { [column]: value }, where: { [column]: value } }],
        ] as const) {
          plugin.db(fn, table, options)
          plugin.db(fn, 't', options)
        }
      }),
      { numRuns: 100 },
    )
    assert.deepEqual(schema(), schemaBefore)
    assert.deepEqual(others(), othersBefore)
  })
})
