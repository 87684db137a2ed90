import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { contentLimits } from '../../../src/base/limits/content.js'
import { fieldFormats } from '../../../src/content/field-formats.js'
import { compileFieldCheck, findSchemaProblem } from '../../../src/content/field-schema.js'
import { findFieldsProblem } from '../../../src/content/fields-size.js'

function nested(depth: number): object {
  return depth === 0 ? { type: 'string' } : { type: 'array', items: nested(depth - 1) }
}

const refused: readonly (readonly [string, unknown, RegExp])[] = [
  ['no object', [], /schema must be an object/],
  ['another type at the top', { type: 'array' }, /must have "type": "object"/],
  [
    '$ref',
    { type: 'object', properties: { a: { $ref: 'http://evil.example/x.json' } } },
    /schema.properties.a.\$ref is not supported/,
  ],
  ['$ref to itself', { type: 'object', properties: { a: { $ref: '#' } } }, /\$ref is not supported/],
  ['$id', { type: 'object', $id: 'x' }, /\$id is not supported/],
  [
    'pattern',
    { type: 'object', properties: { a: { type: 'string', pattern: '(a+)+$' } } },
    /pattern is not supported/,
  ],
  [
    'patternProperties',
    { type: 'object', patternProperties: { '(a+)+$': {} } },
    /patternProperties is not supported/,
  ],
  [
    'uniqueItems',
    { type: 'object', properties: { a: { uniqueItems: true } } },
    /uniqueItems is not supported/,
  ],
  [
    'an unknown format',
    { type: 'object', properties: { a: { format: 'regex' } } },
    /format must be one of date/,
  ],
  [
    'a format of the prototype',
    { type: 'object', properties: { a: { format: 'constructor' } } },
    /format must be one of/,
  ],
  ['an unknown keyword', { type: 'object', $comment: 'x' }, /\$comment is not supported/],
  ['an unknown type', { type: 'object', properties: { a: { type: 'date' } } }, /type must be one of/],
  [
    'a prototype as a member',
    JSON.parse('{"type":"object","properties":{"__proto__":{}}}'),
    /has the name "__proto__"/,
  ],
  [
    'code in a member name',
    { type: 'object', properties: { 'a"]; process.exit(); //': {} } },
    /has the name/,
  ],
  [
    'a schema that is none',
    { type: 'object', properties: { a: true } },
    /schema.properties.a must be an object/,
  ],
  [
    'a negative length',
    { type: 'object', properties: { a: { maxLength: -1 } } },
    /maxLength must be a count/,
  ],
  ['multipleOf 0', { type: 'object', properties: { a: { multipleOf: 0 } } }, /greater than 0/],
  ['an enum of objects', { type: 'object', properties: { a: { enum: [{}] } } }, /enum may hold/],
  [
    'a long enum',
    { type: 'object', properties: { a: { enum: Array.from({ length: 201 }, (_, at) => at) } } },
    /201 values; the limit is 200/,
  ],
  ['depth', { type: 'object', properties: { a: nested(9) } }, /nested deeper than 8 levels/],
  [
    'many schemas',
    {
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`a${at}`, {}])),
    },
    /more than 300 schemas/,
  ],
  [
    'size',
    { type: 'object', description: 'x'.repeat(contentLimits.schemaBytesMax) },
    /bytes; the limit is 32768/,
  ],
  ['required twice', { type: 'object', required: ['a', 'a'] }, /must be a list of names/],
]
for (const [what, schema, message] of refused) {
  it(`a schema is refused for ${what}`, () => assert.match(findSchemaProblem(schema) ?? '', message))
}

it('a schema at the limits is taken', () => {
  assert.equal(findSchemaProblem({ type: 'object', properties: { a: nested(7) } }), undefined)
  const members = Array.from({ length: 299 }, (_, at) => [`a${at}`, {}])
  assert.equal(findSchemaProblem({ type: 'object', properties: Object.fromEntries(members) }), undefined)
})

it('objects and lists are not compared: their members could break the comparison', () => {
  for (const value of [{}, { toString: 0 }, []]) {
    assert.match(String(findSchemaProblem({ type: 'object', properties: { a: { const: value } } })), /const/)
  }
  const check = compileFieldCheck({ type: 'object', properties: { a: { const: 'x', enum: ['x', 1] } } })
  for (const a of [{ toString: 0 }, { valueOf: 1 }, ['x']]) assert.ok(check({ a }), JSON.stringify(a))
})

it('every schema that is taken compiles, whatever is in it', () => {
  const name = fc.constantFrom('a', 'b_c', 'constructor', 'toString', 'x-y', '_')
  const { schema } = fc.letrec((tie) => ({
    inner: fc.oneof({ maxDepth: 2 }, fc.constant({ type: 'string' }), tie('schema')),
    schema: fc.record(
      {
        type: fc.constantFrom('object', 'array', 'string', 'integer', ['string', 'null']),
        title: fc.string(),
        enum: fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { minLength: 1 }),
        const: fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
        required: fc.uniqueArray(fc.string()),
        minLength: fc.nat(),
        multipleOf: fc.double({ min: 0.001, max: 100, noNaN: true }),
        format: fc.constantFrom(...Object.keys(fieldFormats)),
        properties: fc.dictionary(name, tie('inner'), { maxKeys: 3 }),
        items: tie('inner'),
        anyOf: fc.array(tie('inner'), { minLength: 1, maxLength: 2 }),
        additionalProperties: fc.oneof(fc.boolean(), tie('inner')),
      },
      { requiredKeys: [] },
    ),
  }))
  let taken = 0
  fc.assert(
    fc.property(schema, fc.jsonValue(), (given, value) => {
      const candidate = { ...(given as object), type: 'object' }
      if (findSchemaProblem(candidate) !== undefined) return
      taken += 1
      const problem = compileFieldCheck(candidate)(value)
      assert.ok(problem === undefined || problem.startsWith('fields'), String(problem))
    }),
    { numRuns: 100 },
  )
  assert.ok(taken > 20, `${taken} schemas were taken`)
})

const formats: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['date', ['2024-02-29', '0001-01-01'], ['2023-02-29', '2024-13-01', '2024-1-1', '2024-02-29x', '']],
  [
    'date-time',
    ['2024-02-29T23:59:59Z', '2024-01-01T00:00:00.123+02:00'],
    ['2024-02-29 23:59:59Z', '2024-02-29T24:00:00Z', '2024-02-30T00:00:00Z', '2024-01-01T00:00:00'],
  ],
  [
    'email',
    ['a@b.example', 'a.b+c@b-c.example'],
    ['a', '@b.example', 'a@', 'a b@c.example', `${'a'.repeat(65)}@b.example`, 'a@b_c'],
  ],
  ['uri', ['https://a.example/x?y#z', 'mailto:a@b.example'], ['/x', 'a b', 'https://', '']],
]
for (const [name, good, bad] of formats) {
  it(`the format ${name} takes what it should`, () => {
    for (const text of good) assert.equal(fieldFormats[name]?.(text), true, text)
    for (const text of bad) assert.equal(fieldFormats[name]?.(text), false, text)
  })
}

it('formats take no time worth mentioning for long texts', () => {
  const long = [
    'a'.repeat(250_000),
    `${'a.'.repeat(125_000)}@`,
    `a:${'%'.repeat(250_000)}`,
    `${'-1'.repeat(125_000)}`,
  ]
  const startedMs = performance.now()
  for (const check of Object.values(fieldFormats)) for (const text of long) assert.equal(check(text), false)
  assert.ok(performance.now() - startedMs < 1000)
})

it('fields have bounds that no schema can lift', () => {
  let deep: object = {}
  for (let at = 1; at < contentLimits.fieldsDepthMax; at += 1) deep = { a: deep }
  assert.equal(findFieldsProblem(deep), undefined)
  assert.match(findFieldsProblem({ a: deep }) ?? '', /deeper than 16 levels/)
  const many = (count: number) => ({ a: Array.from({ length: count }, () => 0) })
  assert.equal(findFieldsProblem(many(contentLimits.fieldsValuesMax - 2)), undefined)
  assert.match(findFieldsProblem(many(contentLimits.fieldsValuesMax - 1)) ?? '', /more than 10000 values/)
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  assert.match(findFieldsProblem(cycle) ?? '', /deeper than/)
  assert.match(findFieldsProblem({ a: Number.NaN }) ?? '', /no word for/)
  assert.match(findFieldsProblem({ a: 1n }) ?? '', /no word for/)
  assert.match(findFieldsProblem(JSON.parse('{"a": [9007199254740993]}')) ?? '', /beyond 2\^53/)
  assert.equal(findFieldsProblem({ a: [Number.MAX_SAFE_INTEGER, 1e300, 0.1] }), undefined)
})
