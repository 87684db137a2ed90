import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pluginConfigLimits } from '../../../../src/base/limits/config.js'
import { readConfigSchema } from '../../../../src/plugins/config/schema-reader.js'

const fields = (schema: unknown) => readConfigSchema(schema).problems.map(({ field }) => field)
const ofMember = (schema: unknown) => readConfigSchema({ properties: { a: schema } })

test('objects take no members that they do not name, unless they say so', () => {
  const { schema, problems } = readConfigSchema({
    properties: {
      closed: { properties: { x: { type: 'integer' } } },
      open: { type: 'object', additionalProperties: { type: 'string' } },
    },
  })
  assert.deepEqual(problems, [])
  assert.equal(schema?.type, 'object')
  assert.equal(schema?.additionalProperties, false)
  assert.equal(schema?.properties?.closed?.additionalProperties, false)
  assert.deepEqual(schema?.properties?.open?.additionalProperties, { type: 'string' })
})

test('what is referred to stands in the place of the reference', () => {
  const { schema, problems } = readConfigSchema({
    $defs: { port: { type: 'integer', minimum: 1 } },
    properties: { from: { $ref: '#/$defs/port' }, to: { $ref: '#/$defs/port', description: 'The end.' } },
  })
  assert.deepEqual(problems, [])
  assert.deepEqual(schema?.properties?.from, { type: 'integer', minimum: 1 })
  assert.ok(!JSON.stringify(schema).includes('$'))
})

test('an empty Lua table is an empty list where a list is wanted', () => {
  const { schema, problems } = readConfigSchema({
    properties: { a: { type: 'array', default: {} } },
    required: {},
  })
  assert.deepEqual(problems, [])
  assert.deepEqual(schema?.properties?.a?.default, [])
  assert.deepEqual(schema?.required, [])
})

const deep = (levels: number): unknown => (levels === 0 ? {} : { items: deep(levels - 1) })
const twice = { anyOf: [{ $ref: '#/$defs/d0' }, { $ref: '#/$defs/d0' }] }
const explosion = Object.fromEntries(
  Array.from({ length: 14 }, (_, at) => [
    `d${at}`,
    at === 13
      ? { type: 'string' }
      : { allOf: [{ $ref: `#/$defs/d${at + 1}` }, { $ref: `#/$defs/d${at + 1}` }] },
  ]),
)

for (const [name, schema] of [
  ['a text', 'object'],
  ['a list', []],
  ['null', null],
  ['a number beyond 2^53', { properties: { a: { default: 2n ** 60n } } }],
  ['another type than object', { type: 'string' }],
  ['an unknown keyword', { propertis: {} }],
  ['code', { properties: { a: { $async: true } } }],
  ['a remote reference', { properties: { a: { $ref: 'https://example.org/x.json' } } }],
  ['a file', { properties: { a: { $ref: 'file:///etc/passwd' } } }],
  ['a reference to the whole', { properties: { a: { $ref: '#' } } }],
  ['a reference to nothing', { properties: { a: { $ref: '#/$defs/none' } } }],
  ['a reference to the prototype', { $defs: {}, properties: { a: { $ref: '#/$defs/__proto__' } } }],
  [
    'a reference that goes round',
    { $defs: { a: { items: { $ref: '#/$defs/a' } } }, properties: { a: { $ref: '#/$defs/a' } } },
  ],
  [
    'a reference to itself',
    { $defs: { a: { $ref: '#/$defs/a' } }, properties: { a: { $ref: '#/$defs/a' } } },
  ],
  ['references that double each time', { $defs: explosion, properties: { a: twice } }],
  ['too deep a schema', { properties: { a: deep(40) } }],
  ['too large a schema', { description: 'x'.repeat(pluginConfigLimits.schemaBytesMax) }],
  ['too many schemas', { properties: { a: { anyOf: Array.from({ length: 1001 }, () => ({})) } } }],
  ['a member of the prototype', JSON.parse('{"properties": {"__proto__": {"type": "string"}}}')],
  ['a member with two underscores', { properties: { a__b: {} } }],
  ['a member with odd characters', { properties: { 'a.b': {} } }],
  ['members of one name in the environment', { properties: { 'a-b': {}, a_b: {} } }],
  ['a member that is the host’s', { properties: { enabled: { type: 'boolean' } } }],
  ['another one', { properties: { route_aliases: {} } }],
  ['a pattern that runs long', { properties: { a: { pattern: '^(a+)+$' } } }],
  ['a pattern that is none', { properties: { a: { pattern: '(' } } }],
  ['patterns of names', { patternProperties: { '(a+)+': {} } }],
  ['the comparison of all pairs', { properties: { a: { uniqueItems: true } } }],
  ['an unknown format', { properties: { a: { format: 'regex' } } }],
  ['an unknown type', { properties: { a: { type: 'function' } } }],
  ['no count', { properties: { a: { minLength: -1 } } }],
  ['too long a choice', { properties: { a: { enum: Array.from({ length: 201 }, (_, at) => at) } } }],
  ['a choice of objects', { properties: { a: { enum: [{ toString: 1 }] } } }],
  ['a secret with a default', { properties: { a: { secret: true, default: 'x' } } }],
  ['a secret that is no text', { properties: { a: { secret: true, type: 'integer' } } }],
  ['a secret in a list', { properties: { a: { items: { secret: true } } } }],
  ['a secret in a branch', { properties: { a: { anyOf: [{ format: 'secret' }] } } }],
  ['a duration in a branch', { properties: { a: { anyOf: [{ format: 'duration' }] } } }],
] as const) {
  test(`a schema with ${name} is refused with its place`, () => {
    const { schema: read, problems } = readConfigSchema(schema)
    assert.equal(read, undefined)
    assert.ok(problems.length > 0 && problems.length <= pluginConfigLimits.problemsMax)
    for (const { field, message } of problems) {
      assert.match(field, /^config_schema/)
      assert.ok(message.length < 2000, message)
    }
  })
}

test('all that is wrong is named', () => {
  const wrong = { type: 'object', properties: { a: { type: 'text' }, b: { minLenght: 1 } }, required: 'a' }
  assert.deepEqual(fields(wrong), [
    'config_schema.properties.a.type',
    'config_schema.properties.b.minLenght',
    'config_schema.required',
  ])
  assert.match(ofMember({ minLenght: 1 }).problems[0]?.message ?? '', /did you mean minLength\?/)
})
