import assert from 'node:assert/strict'
import { test } from 'node:test'
import { corsLimits } from '../../../../src/base/limits/gateway.js'
import type { CorsPolicy } from '../../../../src/gateway/cors/rule.js'
import { readConfiguredRule, readRule } from '../../../../src/gateway/cors/rule-reader.js'

const least = { name: 'Apps', origins: ['https://app.test'] }

test('what a rule leaves out gets its default', () => {
  assert.deepEqual(readRule(least), {
    ...least,
    methods: ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'],
    allowedHeaders: [],
    exposedHeaders: [],
    credentials: false,
    maxAge: 86_400,
  })
})

test('lists are arrays, or texts with commas or spaces', () => {
  const rule = readRule({
    name: ' Apps ',
    origins: 'https://a.test, *.b.test  http://c.test:8080,https://a.test',
    methods: 'get,post GET',
    allowedHeaders: [' X-A ', ''],
    exposedHeaders: 'x-b',
    maxAge: 1.9,
  })
  assert.equal(rule.name, 'Apps')
  assert.deepEqual(rule.origins, ['https://a.test', '*.b.test', 'http://c.test:8080'])
  assert.deepEqual(rule.methods, ['GET', 'POST'])
  assert.deepEqual(rule.allowedHeaders, ['X-A'])
  assert.deepEqual(rule.exposedHeaders, ['x-b'])
  assert.equal(rule.maxAge, 1)
})

test('a listed rule can be sent back', () => {
  const listed = { id: 'x', ...readRule(least), createdAt: 1, source: 'database' }
  assert.deepEqual(readRule(listed), readRule(least))
})

const many = (count: number, of: (at: number) => string) => Array.from({ length: count }, (_, at) => of(at))

const refusals: readonly (readonly [string, unknown, string])[] = [
  ['nothing', undefined, 'INVALID_CORS_RULE'],
  ['null', null, 'INVALID_CORS_RULE'],
  ['an array', [], 'INVALID_CORS_RULE'],
  ['a text', 'x', 'INVALID_CORS_RULE'],
  ['a member that rules do not have', { ...least, headers: ['x'] }, 'INVALID_CORS_RULE'],
  ['no name', { origins: ['*'] }, 'CORS_NAME_REQUIRED'],
  ['a blank name', { ...least, name: '  ' }, 'CORS_NAME_REQUIRED'],
  ['a name that is no text', { ...least, name: 7 }, 'INVALID_CORS_RULE'],
  ['a name with a line break', { ...least, name: 'a\nb' }, 'INVALID_CORS_RULE'],
  ['a long name', { ...least, name: 'x'.repeat(corsLimits.nameLengthMax + 1) }, 'INVALID_CORS_RULE'],
  ['no origins', { name: 'n' }, 'CORS_ORIGINS_REQUIRED'],
  ['empty origins', { name: 'n', origins: [] }, 'CORS_ORIGINS_REQUIRED'],
  ['blank origins', { name: 'n', origins: ' , ' }, 'CORS_ORIGINS_REQUIRED'],
  ['origins that are no list', { name: 'n', origins: { 0: '*' } }, 'INVALID_CORS_RULE'],
  ['origins that are no texts', { name: 'n', origins: [null] }, 'INVALID_CORS_RULE'],
  [
    'many origins',
    { name: 'n', origins: many(corsLimits.originsMax + 1, (at) => `https://a${at}.test`) },
    'INVALID_CORS_RULE',
  ],
  [
    'credentials for all',
    { name: 'n', origins: ['https://a.test', '*'], credentials: true },
    'CORS_CREDENTIALS_WILDCARD',
  ],
  ['credentials that are a text', { ...least, credentials: 'true' }, 'INVALID_CORS_RULE'],
  ['an unknown method', { ...least, methods: ['GET', 'TRACE'] }, 'CORS_INVALID_METHOD'],
  ['the method *', { ...least, methods: '*' }, 'CORS_INVALID_METHOD'],
  ['a negative age', { ...least, maxAge: -1 }, 'CORS_INVALID_MAX_AGE'],
  ['an endless age', { ...least, maxAge: Number.POSITIVE_INFINITY }, 'CORS_INVALID_MAX_AGE'],
  ['an age that is no number', { ...least, maxAge: Number.NaN }, 'CORS_INVALID_MAX_AGE'],
  ['an age that is a text', { ...least, maxAge: '60' }, 'CORS_INVALID_MAX_AGE'],
  ['a high age', { ...least, maxAge: corsLimits.maxAgeSecondsMax + 1 }, 'CORS_INVALID_MAX_AGE'],
  [
    'a header that would split an answer',
    { ...least, exposedHeaders: ['a\r\nset-cookie: b=c'] },
    'INVALID_CORS_RULE',
  ],
  ['a header with a comma', { ...least, allowedHeaders: ['a,b'] }, 'INVALID_CORS_RULE'],
  [
    'many headers',
    { ...least, allowedHeaders: many(corsLimits.headersMax + 1, (at) => `x-${at}`) },
    'INVALID_CORS_RULE',
  ],
]
for (const [name, body, code] of refusals) {
  test(`a rule with ${name} is refused: ${code}`, () => {
    assert.throws(() => readRule(body), { code, status: 400 })
  })
}

test('what is refused is named, and cut', () => {
  assert.throws(() => readRule({ ...least, methods: ['TRACE'] }), /"TRACE".*GET, HEAD/)
  assert.throws(() => readRule({ ...least, maxAge: -5 }), /-5.*0 to/)
  assert.throws(
    () => readRule({ ...least, origins: ['y'.repeat(10_000)] }),
    ({ message }: Error) => message.length < 500,
  )
})

test('the rule of the configuration has every origin unless it names some', () => {
  const rule = readConfiguredRule({}, 5)
  assert.deepEqual([rule.id, rule.source, rule.name, rule.createdAt], ['config', 'config', 'All origins', 5])
  assert.deepEqual(rule.origins, ['*'])
  assert.deepEqual(readConfiguredRule({ origin: 'https://a.test,https://b.test' }, 5).origins, [
    'https://a.test',
    'https://b.test',
  ])
  assert.equal(readConfiguredRule({ origin: ['https://a.test'], credentials: true }, 5).name, 'Default')
})

test('a configuration that cannot hold is refused, and named', () => {
  const check = (policy: CorsPolicy, code: string) =>
    assert.throws(() => readConfiguredRule(policy, 0), { code, message: /^cors: / })
  check({ credentials: true }, 'CORS_CREDENTIALS_WILDCARD')
  check({ origin: ['*', 'https://a.test'], credentials: true }, 'CORS_CREDENTIALS_WILDCARD')
  check({ origin: '' }, 'CORS_ORIGINS_REQUIRED')
  check({ origin: 'app.test' }, 'INVALID_CORS_RULE')
  check({ methods: ['BREW'] }, 'CORS_INVALID_METHOD')
  check({ maxAge: -1 }, 'CORS_INVALID_MAX_AGE')
})
