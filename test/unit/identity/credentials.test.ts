import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CredentialFilter, usualCredentials } from '../../../src/identity/credentials.js'

const stripCredentials = usualCredentials.strip
const session = 'modulacms_session=secret'

const changed: readonly (readonly [string, string[], string[]])[] = [
  [
    'a bearer token',
    ['Accept', '*/*', 'Authorization', 'Bearer secret', 'X-A', '1'],
    ['Accept', '*/*', 'X-A', '1'],
  ],
  ['an odd spelling', ['aUTHORIZATION', '\tbEARER\tsecret'], []],
  ['an empty bearer token', ['authorization', 'Bearer'], []],
  ['a bearer token for a proxy', ['Proxy-Authorization', 'bearer secret'], []],
  [
    'each of several',
    ['authorization', 'Bearer secret', 'authorization', 'Basic x'],
    ['authorization', 'Basic x'],
  ],
  ['a cookie header of the session alone', ['Cookie', session, 'A', 'b'], ['A', 'b']],
  ['the session first', ['cookie', `${session}; theme=dark`], ['cookie', 'theme=dark']],
  ['the session last', ['cookie', `theme=dark; ${session}`], ['cookie', 'theme=dark']],
  ['the session in the middle', ['cookie', `a=1; ${session}; b=2`], ['cookie', 'a=1; b=2']],
  [
    'every session cookie',
    ['cookie', `${session};a=1;\t${session} ; MODULACMS_SESSION=secret`],
    ['cookie', 'a=1'],
  ],
  ['prefixed session cookies', ['cookie', `__Host-${session}; __Secure-${session}; a=1`], ['cookie', 'a=1']],
  ['a session cookie without value', ['cookie', 'modulacms_session; a=1'], ['cookie', 'a=1']],
  ['several cookie headers', ['cookie', session, 'cookie', 'a=1'], ['cookie', 'a=1']],
]
for (const [name, headers, expected] of changed) {
  test(`${name} is left out`, () => {
    const before = [...headers]
    assert.deepEqual(stripCredentials(headers), expected)
    assert.deepEqual(headers, before, 'the argument is not changed')
  })
}

const unchanged = [
  [],
  ['Host', 'x', 'Accept', '*/*'],
  ['Authorization', 'Basic dXNlcjpwYXNz'],
  ['Authorization', 'Bearers x'],
  ['X-Authorization', 'Bearer mine'],
  ['Cookie', 'a=1; b=2'],
  ['Cookie', 'my_modulacms_session=1; modulacms_session_id=2; a=modulacms_session'],
  ['Set-Cookie', session],
]
for (const headers of unchanged) {
  test(`${JSON.stringify(headers)} is given back as the same array`, () => {
    assert.equal(stripCredentials(headers), headers)
  })
}

test('no spelling lets the secret through, and all other headers stay in order', () => {
  const space = fc.constantFrom('', ' ', '\t', '  ')
  const secret = fc.oneof(
    fc.tuple(
      fc.constantFrom('Authorization', 'authorization', 'PROXY-AUTHORIZATION'),
      fc.constantFrom('Bearer secret', 'BEARER  secret'),
    ),
    fc.tuple(
      fc.constantFrom('Cookie', 'cookie', 'COOKIE'),
      fc.tuple(space, space, space).map(([a, b, c]) => `x=1;${a}modulacms_session${b}=${c}secret; y=2`),
    ),
  )
  const other = fc.tuple(
    fc.constantFrom('Accept', 'X-B'),
    fc.constantFrom('1', 'Bearer', 'modulacms_session=2'),
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(secret, other)), (pairs) => {
      const result = stripCredentials(pairs.flat())
      assert.ok(!result.join('\n').includes('secret'))
      const names = (flat: readonly string[]) =>
        flat.filter((name, i) => i % 2 === 0 && ['Accept', 'X-B'].includes(name))
      assert.deepEqual(names(result), names(pairs.flat()))
    }),
    { numRuns: 200 },
  )
})

test('nobody else sets the session, also not by a cookie without a name', () => {
  const { setsHostCookie } = usualCredentials
  for (const own of [
    session,
    ` ${session}; Path=/`,
    `__Host-${session}`,
    `=${session}; Path=/`,
    ` = ${session}`,
  ]) {
    assert.equal(setsHostCookie(own), true, own)
  }
  for (const other of ['a=modulacms_session', `=a; b=${session}`, `==${session}`, 'modulacms_session_id=1']) {
    assert.equal(setsHostCookie(other), false, other)
  }
})

test('authenticators of plugins get tokens, and neither keys nor passwords of the host', () => {
  const names = { cookie: 'modulacms_session', header: 'x-session-id' }
  const sent = (value: string) => ['Authorization', value]
  const taking = new CredentialFilter({ ...names, takesBasic: true })
  assert.deepEqual(taking.stripAccounts(sent('Bearer badge_1')), sent('Bearer badge_1'))
  for (const own of ['Bearer mk_abc_def', 'BEARER\tmk_abc', 'Basic dXNlcjpwYXNz', 'basic x']) {
    assert.deepEqual(taking.stripAccounts(sent(own)), [], own)
  }
  const leaving = new CredentialFilter({ ...names, takesBasic: false })
  assert.deepEqual(leaving.stripAccounts(sent('Basic dXNlcjpwYXNz')), sent('Basic dXNlcjpwYXNz'))
})

test('sessions and keys of the host go, keys of others stay', () => {
  const headers = ['X-API-Key', 'mk_secret', 'x-api-key', 'other', 'X-Session-Id', 'secret', 'x-b', '1']
  assert.deepEqual(usualCredentials.strip(headers), ['x-api-key', 'other', 'x-b', '1'])
})

test('credentials go by the names of the configuration, and Basic where it is taken', () => {
  const filter = new CredentialFilter({ cookie: 'sid', header: 'x-sid', takesBasic: true })
  const basic = ['authorization', 'Basic YTpi', 'Proxy-Authorization', 'bASIC YTpi']
  assert.deepEqual(filter.strip([...basic, 'X-SID', 'secret', 'cookie', '__Host-sid=1; SID=2; a=1']), [
    'cookie',
    'a=1',
  ])
  assert.equal(usualCredentials.strip(basic), basic)
  assert.deepEqual(
    [filter.setsHostCookie('__Host-sid=x; Path=/'), filter.setsHostCookie('asid=x')],
    [true, false],
  )
})

test('who checks credentials of their own gets tokens, and nothing of accounts', () => {
  const sent = ['authorization', 'Bearer wt_1', 'cookie', session, 'x-session-id', 's', 'x-api-key', 'mk_1']
  assert.deepEqual(usualCredentials.stripAccounts(sent), ['authorization', 'Bearer wt_1'])
  assert.deepEqual(usualCredentials.stripAccounts(['Authorization', 'bearer  mk_1']), [])
})
