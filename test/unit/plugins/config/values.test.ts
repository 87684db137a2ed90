import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readPluginSections } from '../../../../src/config/plugin-sections.js'
import type { ConfigSchema } from '../../../../src/plugins/config/schema.js'
import { readConfigSchema } from '../../../../src/plugins/config/schema-reader.js'
import { type ResolvedValues, resolveValues } from '../../../../src/plugins/config/values.js'

type Environment = Readonly<Record<string, string>>

function schemaOf(properties: object, more: object = {}): ConfigSchema {
  const { schema, problems } = readConfigSchema({ properties, ...more })
  assert.deepEqual(problems, [])
  assert.ok(schema)
  return schema
}

function resolve(
  schema: ConfigSchema | undefined,
  values: Readonly<Record<string, unknown>>,
  environment: Environment = {},
): ResolvedValues {
  const given = { value: { shop: values }, originOf: (key: string) => `file ${key}` }
  const { sections, problems } = readPluginSections(given, environment)
  assert.deepEqual(problems, [])
  const section = sections.get('shop')
  assert.ok(section)
  return resolveValues(schema, section, environment)
}

function values(
  schema: ConfigSchema,
  given: Readonly<Record<string, unknown>>,
  environment?: Environment,
): unknown {
  const { values: found, problems } = resolve(schema, given, environment)
  assert.deepEqual(problems, [])
  return found
}

const problemsOf = (...given: Parameters<typeof resolve>) => resolve(...given).problems
const keysOf = (...given: Parameters<typeof resolve>) => problemsOf(...given).map(({ key }) => key)

const prefix = 'MODULACMS__PLUGINS__SHOP__'

test('the environment wins over the file, that over the defaults', () => {
  const schema = schemaOf({
    a: { type: 'integer', default: 1 },
    b: { type: 'integer', default: 1 },
    c: { type: 'integer', default: 1 },
  })
  assert.deepEqual(values(schema, { b: 2, c: 2 }, { [`${prefix}C`]: '3' }), { a: 1, b: 2, c: 3 })
})

test('text of the environment is read by the type of the schema and by nothing else', () => {
  const schema = schemaOf({
    text: { type: 'string' },
    count: { type: 'integer' },
    part: { type: 'number' },
    on: { type: 'boolean' },
    either: { type: ['string', 'integer'] },
    list: { type: 'array', items: { type: 'integer' } },
    whole: { type: 'object', additionalProperties: { type: 'integer' } },
    maybe: { type: ['integer', 'null'] },
  })
  const environment = { T: 'true', N: '5', P: '-1.5e3', L: '1, 2', O: '{"x": 1}', NULL: 'null' }
  const given = {
    text: `\${T}`,
    count: `\${N}`,
    part: `\${P}`,
    on: `\${T}`,
    either: `\${N}`,
    list: `\${L}`,
    whole: `\${O}`,
    maybe: `\${NULL}`,
  }
  assert.deepEqual(values(schema, given, environment), {
    text: 'true',
    count: 5,
    part: -1500,
    on: true,
    either: '5',
    list: [1, 2],
    whole: { x: 1 },
    maybe: null,
  })
})

test('a text that stands in the file is no number', () => {
  const schema = schemaOf({ count: { type: 'integer', minimum: 1, maximum: 9 } })
  assert.deepEqual(problemsOf(schema, { count: '5' }), [
    {
      key: 'plugins.shop.count',
      rule: 'must be an integer from 1 to 9',
      origin: 'file plugins.shop.count',
      shown: '5',
    },
  ])
})

test('durations are milliseconds for the plugin', () => {
  const schema = schemaOf({
    ttl: { type: 'string', format: 'duration', default: '30d' },
    wait: { format: 'duration' },
  })
  assert.deepEqual(values(schema, { wait: '1m30s' }), { ttl: 2_592_000_000, wait: 90_000 })
  assert.match(problemsOf(schema, { wait: 'soon' })[0]?.rule ?? '', /^must be a duration/)
})

test('defaults reach into objects that are not given, when nothing is missing in them', () => {
  const schema = schemaOf({
    limits: { type: 'object', properties: { max: { type: 'integer', default: 5 } } },
    other: { type: 'object', properties: { a: { type: 'integer', default: 1 }, b: {} }, required: ['b'] },
  })
  assert.deepEqual(values(schema, {}), { limits: { max: 5 } })
  assert.deepEqual(values(schema, { other: { b: 2 } }), { limits: { max: 5 }, other: { a: 1, b: 2 } })
})

test('secrets are not among the values, and are found by their key', () => {
  const schema = schemaOf({
    secret: { type: 'string', format: 'secret' },
    auth: { properties: { key: { secret: true }, user: { type: 'string' } } },
    keys: { type: 'object', additionalProperties: { secret: true } },
  })
  const given = { secret: `\${S}`, auth: { key: 'inner key', user: 'me' }, keys: { acme: 'of acme' } }
  const resolved = resolve(schema, given, { S: 'outer key' })
  assert.deepEqual(resolved.problems, [])
  assert.deepEqual(resolved.values, { auth: { user: 'me' }, keys: {} })
  assert.deepEqual(
    [...resolved.secrets],
    [
      ['secret', 'outer key'],
      ['auth.key', 'inner key'],
      ['keys.acme', 'of acme'],
    ],
  )
})

test('values are frozen to the last', () => {
  const schema = schemaOf({ a: { type: 'object', properties: { b: { type: 'array', items: {} } } } })
  const { values: found } = resolve(schema, { a: { b: [{ c: 1 }] } })
  const all: unknown[] = [found]
  for (const value of all) {
    if (typeof value !== 'object' || value === null) continue
    assert.ok(Object.isFrozen(value))
    all.push(...Object.values(value))
  }
})

test('an unset variable is named with its place, never a value', () => {
  const schema = schemaOf({ secret: { secret: true, minLength: 32 } }, { required: ['secret'] })
  const [problem, ...others] = problemsOf(schema, { secret: `pre-\${TOKEN_SECRET}` })
  assert.deepEqual(others, [], 'not missing as well')
  assert.equal(problem?.key, 'plugins.shop.secret')
  assert.match(problem?.rule ?? '', /TOKEN_SECRET, which is not set/)
  assert.equal(problem?.shown, undefined)
  assert.match(problemsOf(schema, { secret: `\${E}` }, { E: '' })[0]?.rule ?? '', /E, which is empty/)
})

test('a variable of the plugin takes the place of a text whose variable is not set', () => {
  const schema = schemaOf({ key: { type: 'string' } })
  // What is wrong in the file is said all the same: it was meant for something.
  assert.deepEqual(keysOf(schema, { key: `\${NOPE}` }, { [`${prefix}KEY`]: 'x' }), ['plugins.shop.key'])
})

test('all that is wrong is named, unknown members with the nearest, and no secret is shown', () => {
  const schema = schemaOf(
    {
      secret: { secret: true, minLength: 32 },
      ttl: { format: 'duration' },
      level: { enum: ['low', 'high'] },
      auth: { type: 'object', properties: { key: { secret: true } } },
      list: { type: 'array', items: { type: 'object', properties: { n: { type: 'integer' } } } },
    },
    { required: ['ttl'] },
  )
  const given = {
    secret: 'too short',
    level: 'middle',
    auth: 'swordfish as a whole',
    secrte: 'misspelt swordfish',
    list: [{ n: 1 }, { n: 'x', m: 2 }],
  }
  const problems = problemsOf(schema, given)
  assert.deepEqual(problems.map(({ key }) => key).sort(), [
    'plugins.shop.auth',
    'plugins.shop.level',
    'plugins.shop.list[1].m',
    'plugins.shop.list[1].n',
    'plugins.shop.secret',
    'plugins.shop.secrte',
    'plugins.shop.ttl',
  ])
  const text = JSON.stringify(problems)
  assert.ok(!/swordfish|too short/.test(text), text)
  assert.match(problems.find(({ key }) => key.endsWith('secrte'))?.rule ?? '', /did you mean secret\?/)
  assert.match(
    problems.find(({ key }) => key.endsWith('ttl'))?.rule ?? '',
    /is missing; it must be a duration/,
  )
  assert.equal(problems.find(({ key }) => key.endsWith('level'))?.shown, 'middle')
})

test('a variable of no member is refused with the nearest', () => {
  const schema = schemaOf({ retention_days: { type: 'integer' } })
  const [problem] = problemsOf(schema, {}, { [`${prefix}RETENTION_DAY`]: '3' })
  assert.equal(problem?.key, `${prefix}RETENTION_DAY`)
  assert.match(problem?.rule ?? '', /did you mean RETENTION_DAYS\?/)
  assert.deepEqual(keysOf(schema, {}, { [`${prefix}RETENTION_DAYS__X`]: '3' }), [
    'plugins.shop.retention_days',
  ])
})

test('a plugin without a schema takes nothing', () => {
  assert.deepEqual(keysOf(undefined, { a: 1 }, { [`${prefix}B`]: '1' }), ['plugins.shop.a', `${prefix}B`])
  assert.deepEqual(resolve(undefined, {}).values, {})
})

const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])

for (const [name, given, expected] of [
  ['a prototype', JSON.parse('{"__proto__": {"polluted": true}}'), ['plugins.shop.__proto__']],
  ['a constructor', { constructor: { prototype: { polluted: true } } }, ['plugins.shop.constructor']],
  ['a depth that ends stacks', { any: nested(5000) }, undefined],
  ['too long a text for its pattern', { name: 'a'.repeat(1001) }, ['plugins.shop.name']],
  ['too much', { any: 'x'.repeat(300_000) }, ['plugins.shop']],
  ['no number', { any: Number.NaN }, ['plugins.shop.any']],
  ['a function', { any: () => 1 }, ['plugins.shop.any']],
] as const) {
  test(`values with ${name} are refused`, () => {
    const schema = schemaOf({ any: {}, name: { type: 'string', pattern: '^a+$' } })
    const found = keysOf(schema, given)
    assert.ok(found.length > 0)
    if (expected !== undefined) assert.deepEqual(found, expected)
    assert.equal(({} as Record<string, unknown>).polluted, undefined)
  })
}

test('very many wrong values are counted', () => {
  const schema = schemaOf({ list: { type: 'array', items: { type: 'integer' } } })
  const found = problemsOf(schema, { list: Array.from({ length: 500 }, () => 'x') })
  assert.equal(found.length, 51)
  assert.match(found.at(-1)?.rule ?? '', /has 450 further problems/)
})

test('a value of the environment comes out as it was put in, at any depth and in any case', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,5}(?:[_-][a-z0-9]{1,4})?$/)
  fc.assert(
    fc.property(
      fc.array(name, { minLength: 1, maxLength: 4 }),
      fc.string(),
      fc.boolean(),
      (path, text, isUpper) => {
        fc.pre(path[0] !== 'enabled' && path[0] !== 'required')
        const inner = path.reduceRight<object>((schema, key) => ({ properties: { [key]: schema } }), {
          type: 'string',
        })
        const { schema } = readConfigSchema(inner)
        assert.ok(schema)
        const variable = prefix + path.map((key) => key.replaceAll('-', '_')).join('__')
        const found = values(schema, {}, { [isUpper ? variable.toUpperCase() : variable]: text })
        const expected = path.reduceRight<unknown>((value, key) => ({ [key]: value }), text)
        assert.deepEqual(found, expected)
      },
    ),
  )
})

test('whatever is given, nothing throws and no secret is in what is said of it', () => {
  const schema = schemaOf(
    {
      key: { secret: true, maxLength: 3 },
      n: { type: 'integer' },
      o: { type: 'object', properties: { key: { secret: true } } },
    },
    { required: ['n'] },
  )
  const secret = fc.string({ minLength: 12, maxLength: 30, unit: fc.constantFrom('§', 'q', '7') })
  fc.assert(
    fc.property(secret, fc.dictionary(fc.constantFrom('n', 'x', 'a'), fc.jsonValue()), (value, others) => {
      const { problems, values: found } = resolve(schema, { ...others, key: value, o: { key: value } })
      assert.ok(problems.length > 0)
      assert.ok(!JSON.stringify([problems, found]).includes(value))
    }),
  )
})
