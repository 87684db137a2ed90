import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { corsLimits } from '../../../../src/base/limits/gateway.js'
import { addToVary, isHeaderName, readRequestedHeaders } from '../../../../src/gateway/cors/header-names.js'
import { readOriginPattern } from '../../../../src/gateway/cors/origin.js'
import { readRule } from '../../../../src/gateway/cors/rule-reader.js'
import { selectFrom } from '../../../../src/gateway/cors/rule-selection.js'

function matches(pattern: string, origin: string): boolean {
  return selectFrom([ruleOf('one', [pattern])]).select(origin) !== undefined
}

function ruleOf(id: string, origins: readonly string[]) {
  return { id, ...readRule({ name: id, origins }), createdAt: 0, source: 'database' as const }
}

const accepted: readonly (readonly [string, string])[] = [
  ['https://good.com', 'https://good.com'],
  ['https://GOOD.com', 'https://good.com'],
  ['https://good.com:443', 'https://good.com'],
  ['http://localhost:5173', 'http://localhost:5173'],
  ['http://[::1]:8080', 'http://[::1]:8080'],
  ['capacitor://localhost', 'capacitor://localhost'],
  ['*.example.com', 'https://x.example.com'],
  ['*.example.com', 'https://x.y.example.com'],
  ['*.example.com', 'http://x.example.com'],
  ['*.Example.com', 'https://x.example.com'],
  ['*.example.com:8443', 'https://x.example.com:8443'],
  ['*', 'https://any.test'],
  ['*', 'null'],
]
for (const [pattern, origin] of accepted) {
  test(`${pattern} lets ${origin} in`, () => assert.ok(matches(pattern, origin)))
}

const refused: readonly (readonly [string, string])[] = [
  ['https://good.com', 'https://good.com.evil.com'],
  ['https://good.com', 'https://evil.com/https://good.com'],
  ['https://good.com', 'https://good.com@evil.com'],
  ['https://good.com', 'https://good.com:444'],
  ['https://good.com', 'https://good.com/'],
  ['https://good.com', 'http://good.com'],
  ['https://good.com', 'https://good.com, https://evil.com'],
  ['https://good.com', 'https://goodxcom'],
  ['https://good.com', 'null'],
  ['https://good.com', ''],
  ['*.example.com', 'https://example.com'],
  ['*.example.com', 'https://.example.com'],
  ['*.example.com', 'https://evilexample.com'],
  ['*.example.com', 'https://x.example.com.evil.com'],
  ['*.example.com', 'https://evil.com/.example.com'],
  ['*.example.com', 'https://evil.com?.example.com'],
  ['*.example.com', 'https://evil.com#.example.com'],
  ['*.example.com', 'https://evil.com\\.example.com'],
  ['*.example.com', 'https://evil.com@x.example.com'],
  ['*.example.com', 'https://user:pass@x.example.com'],
  ['*.example.com', 'https://evil.com:1.example.com'],
  ['*.example.com', 'https://[::1].example.com'],
  ['*.example.com', 'https://x.exampleXcom'],
  ['*.example.com', 'https://x.example.com:8443'],
  ['*.example.com', 'https://x.example.com.'],
  ['*.example.com', 'x.example.com'],
  ['*.example.com', '//x.example.com'],
  ['*.example.com', 'https://x%00.example.com'],
  ['*.example.com', 'https://x .example.com'],
  ['*.example.com', 'https://\u00ff.example.com'],
  ['*.example.com', 'null'],
  ['*.example.com', '*.example.com'],
  ['*.0.0.1', 'http://[::127.0.0.1]'],
]
for (const [pattern, origin] of refused) {
  test(`${pattern} keeps ${JSON.stringify(origin)} out`, () => assert.ok(!matches(pattern, origin)))
}

test('an origin that is longer than the limit matches nothing but *', () => {
  const long = `https://${'x.'.repeat(corsLimits.originLengthMax / 2)}example.com`
  assert.ok(!matches('*.example.com', long))
  assert.ok(matches('*', long))
})

test('a rule takes no origin that no browser would send', () => {
  const wrong = [
    'null',
    'example.com',
    'https://example.com/',
    'https://example.com/a',
    'https://*.example.com',
    'https://bücher.test',
    '*.',
    '**',
    '*example.com',
    '*.*.example.com',
    'a.*.com',
    '*..com',
    'https://a@b.com',
    'https://',
    'https://a:port',
  ]
  for (const text of wrong) assert.equal(readOriginPattern(text), undefined, text)
  for (const text of wrong) {
    assert.throws(() => readRule({ name: 'n', origins: [text] }), { code: 'INVALID_CORS_RULE' }, text)
  }
})

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,5}[a-z0-9])?$/)
const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
const port = fc.option(fc.integer({ min: 1024, max: 65_535 }), { nil: undefined })
const netloc = fc.tuple(host, port).map(([name, at]) => (at === undefined ? name : `${name}:${at}`))
const scheme = fc.constantFrom('http', 'https')

test('*.suffix matches exactly the origins whose host ends with it behind a dot', () => {
  fc.assert(
    fc.property(scheme, netloc, netloc, fc.boolean(), (kind, first, end, isBelow) => {
      const at = isBelow && !first.includes(':') ? `${first}.${end}` : first
      const expected = at.endsWith(`.${end}`)
      assert.equal(matches(`*.${end}`, `${kind}://${at}`), expected)
    }),
  )
})

test('an origin that is let in by a pattern without * is, to a browser, one of that pattern', () => {
  const pieces = fc.constantFrom(
    'https://',
    'http://',
    'good.com',
    '.',
    '@',
    ':',
    '/',
    '\\',
    '?',
    '#',
    'evil.com',
    '80',
    '%',
    '\u0000',
    ' ',
    'null',
    '[',
    ']',
    'x',
  )
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 7 }).map((all) => all.join('')),
      (origin) => {
        if (matches('https://good.com', origin)) assert.equal(origin, 'https://good.com')
        if (!matches('*.good.com', origin)) return
        const { hostname, origin: read } = new URL(origin)
        assert.ok(hostname.endsWith('.good.com'), origin)
        assert.equal(read.replace(/:\d+$/, ''), origin.replace(/:\d+$/, ''))
      },
    ),
    { numRuns: 2000 },
  )
})

const names = fc.constantFrom(
  '*',
  'https://a.test',
  'https://b.a.test',
  'http://a.test',
  '*.test',
  '*.a.test',
)
const origins = fc.constantFrom(
  'https://a.test',
  'https://b.a.test',
  'https://c.b.a.test',
  'http://a.test',
  'https://other.example',
  'null',
)

test('the first rule that names an origin is chosen, else the first with *', () => {
  const ruleLists = fc.array(fc.array(names, { minLength: 1, maxLength: 3 }), { maxLength: 5 })
  fc.assert(
    fc.property(ruleLists, origins, (lists, origin) => {
      const rules = lists.map((list, at) => ruleOf(String(at), list))
      const isNamed = (name: string) =>
        name !== '*' && (name === origin || (name.startsWith('*.') && origin.endsWith(name.slice(1))))
      const expected =
        rules.find((rule) => rule.origins.some(isNamed)) ?? rules.find((rule) => rule.origins.includes('*'))
      assert.equal(selectFrom(rules).select(origin)?.id, expected?.id)
    }),
  )
})

test('rules depend on the origin as soon as one names any', () => {
  assert.equal(selectFrom([]).dependsOnOrigin, false)
  assert.equal(selectFrom([ruleOf('1', ['*'])]).dependsOnOrigin, false)
  assert.equal(selectFrom([ruleOf('1', ['*']), ruleOf('2', ['*.a.test'])]).dependsOnOrigin, true)
})

test('requested headers are taken only when each is a name of bounded length', () => {
  assert.equal(readRequestedHeaders('x-a,  Content-Type'), 'x-a, Content-Type')
  for (const wrong of [undefined, '', ',', 'a,,b', 'a b', 'a:b', 'a\u00ff', 'a"b', 'a;b']) {
    assert.equal(readRequestedHeaders(wrong), undefined)
  }
  const longest = 'x'.repeat(corsLimits.headerNameLengthMax)
  assert.ok(isHeaderName(longest))
  assert.equal(readRequestedHeaders(`${longest}x`), undefined)
  assert.equal(
    readRequestedHeaders('a,'.repeat(corsLimits.requestedHeadersLengthMax / 2).concat('a')),
    undefined,
  )
})

test('a name is in Vary once, in whatever spelling', () => {
  assert.equal(addToVary(undefined, 'Origin'), 'Origin')
  assert.equal(addToVary('', 'Origin'), 'Origin')
  assert.equal(addToVary('Accept-Encoding', 'Origin'), 'Accept-Encoding, Origin')
  assert.equal(addToVary('accept-encoding,ORIGIN', 'Origin'), 'accept-encoding,ORIGIN')
  assert.equal(addToVary('*', 'Origin'), '*')
  assert.equal(addToVary('X-Origin', 'Origin'), 'X-Origin, Origin')
})
