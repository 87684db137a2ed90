import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import type { AuthRequest } from '../../../src/auth/authenticator.js'
import { createAdminTokenAuthenticator } from '../../../src/auth/authenticators/static-token.js'
import { anonymous } from '../../../src/identity/identity.js'
import { toUser } from '../../../src/identity/user.js'

const token = 'a-token-of-the-admin'
const authenticator = createAdminTokenAuthenticator(token)
const none = { kind: 'none' }
const asked: AuthRequest = {
  id: 'r1',
  method: 'GET',
  path: '/',
  query: '',
  headers: {},
  rawHeaders: [],
  ip: '192.0.2.1',
  site: { isSecure: false, host: 'host.test' },
}
const ask = (headers: AuthRequest['headers']) => authenticator.authenticate({ ...asked, headers })
const outcomeOf = (authorization: string | string[] | undefined) => ask({ authorization })

test('the token is the admin, whatever the case of the scheme', () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer  ']) {
    const outcome = outcomeOf(`${scheme} ${token}`)
    assert.ok('kind' in outcome && outcome.kind === 'identity')
    const { id, username, role, ...user } = toUser(outcome.identity) ?? assert.fail('it is nobody')
    assert.deepEqual([id, username, role], ['admin', 'admin', 'admin'])
    assert.equal(user.may('plugins:admin'), true)
    assert.equal(user.may('no:such'), false)
  }
  assert.equal(toUser(anonymous), undefined)
})

test('anything else is nobody', () => {
  const others = [
    undefined,
    '',
    token,
    'Bearer',
    'Bearer ',
    `Bearer${token}`,
    `Bearer ${token} `,
    `Bearer ${token}, Bearer ${token}`,
    ` Bearer ${token}`,
    `Basic ${token}`,
    `Bearer ${token.slice(0, -1)}`,
    `Bearer ${token}x`,
    `Bearer ${token.toUpperCase()}`,
    `Bearer ${'x'.repeat(1_000_000)}`,
    [`Bearer ${token}`],
  ]
  for (const header of others) assert.deepEqual(outcomeOf(header), none, String(header).slice(0, 60))
  assert.deepEqual(ask({}), none)
  assert.deepEqual(ask({ cookie: token, 'proxy-authorization': `Bearer ${token}` }), none)
})

test('no other text authenticates', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(text !== token)
      assert.deepEqual(outcomeOf(`Bearer ${text}`), none)
    }),
    { numRuns: 100 },
  )
})

test('a printed authenticator does not show the token', () => {
  assert.ok(!inspect(authenticator, { depth: 9, showHidden: true }).includes(token))
})
