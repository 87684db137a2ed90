import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { createTokenAuthenticator } from '../../../src/identity/token-authenticator.js'

const token = 'a-token-of-the-admin'
const authenticator = createTokenAuthenticator(token)
const userOf = (authorization: string | string[] | undefined) =>
  authenticator.authenticate({ headers: { authorization } })

test('the token is the admin, whatever the case of the scheme', () => {
  const admin = { id: 'admin', username: 'admin', role: 'admin' }
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer  ']) {
    assert.deepEqual(userOf(`${scheme} ${token}`), admin)
  }
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
  for (const header of others) assert.equal(userOf(header), undefined, String(header).slice(0, 60))
  assert.equal(authenticator.authenticate({ headers: {} }), undefined)
  assert.equal(
    authenticator.authenticate({ headers: { cookie: token, 'proxy-authorization': `Bearer ${token}` } }),
    undefined,
  )
})

test('no other text authenticates', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(text !== token)
      assert.equal(userOf(`Bearer ${text}`), undefined)
    }),
    { numRuns: 100 },
  )
})

test('a printed authenticator does not show the token', () => {
  assert.ok(!inspect(authenticator, { depth: 9, showHidden: true }).includes(token))
})
