import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AuthOutcome, AuthRequest } from '../../../src/auth/authenticator.js'
import { JwtAuthenticator } from '../../../src/auth/authenticators/jwt.js'
import { createAdminTokenAuthenticator } from '../../../src/auth/authenticators/static-token.js'
import { bearerToken, countHeader } from '../../../src/auth/bearer-token.js'
import { SessionCookies } from '../../../src/auth/session-cookie.js'
import { apiKeyId } from '../../../src/identity/api-key.js'
import { noPermissions } from '../../../src/identity/permissions.js'
import {
  createSessionToken,
  csrfToken,
  isCsrfToken,
  isSessionToken,
} from '../../../src/identity/session-token.js'
import { signWithSecret } from '../../helpers/forged-tokens.js'
import { createIdentityFixture } from '../../helpers/identity-fixture.js'

const secret = 'a-secret-of-at-least-thirty-two-characters'
const issuer = 'https://issuer.example'
const adminToken = 'the-admin-token-of-this-test-0123456789'

const jwt = new JwtAuthenticator({
  name: 'jwt',
  issuer,
  audiences: ['app'],
  keys: { kind: 'secret', secret },
  algorithms: [],
  clockSkewMs: 0,
  claims: { roles: ['roles'], groups: ['groups'], tenant: 'tenant', name: 'name', email: 'email' },
  permissionsOf: () => noPermissions,
})
const admin = createAdminTokenAuthenticator(adminToken)
const cookies = new SessionCookies({
  cookie: 'modulacms_session',
  header: 'x-session-id',
  secure: 'auto',
  sameSite: 'lax',
  maxAgeMs: 1000,
})

const claims = { iss: issuer, aud: 'app', sub: 'ann', exp: 9_999_999_999 }
const good = signWithSecret({ alg: 'HS256' }, claims, secret)

const requestOf = (headers: Readonly<Record<string, unknown>>): AuthRequest =>
  ({
    headers,
    rawHeaders: Object.entries(headers).flat(),
    site: { isSecure: false },
  }) as unknown as AuthRequest
const withBearer = (token: string) => requestOf({ authorization: `Bearer ${token}` })
const lettersIn = async (outcome: AuthOutcome | Promise<AuthOutcome>) => (await outcome).kind === 'identity'

/** Any text that HTTP may hand over, and some that look like what is looked for. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: fc.constantFrom(...'Bearer basic \t=;,."\u0000\u00a0mk_-aZ09{}[]%'), maxLength: 60 }),
  fc.constantFrom(
    'Bearer',
    'Bearer ',
    'bearer  x',
    'Bearer mk_',
    'Bearer ..',
    'Basic ',
    'Basic Og==',
    '__proto__',
    ' '.repeat(20_000),
  ),
)
const value = fc.oneof(text, fc.array(text, { maxLength: 3 }), fc.constant(undefined))

test('no header makes what reads credentials raise, or know somebody', async () => {
  await fc.assert(
    fc.asyncProperty(value, value, value, async (authorization, cookie, session) => {
      const given = Object.entries({ authorization, cookie, 'x-session-id': session })
      const request = requestOf(Object.fromEntries(given.filter(([, each]) => each !== undefined)))
      const token = bearerToken(request)
      if (token !== undefined) assert.ok(String(authorization).endsWith(token) && !/\s/.test(token))
      assert.ok(Number.isInteger(countHeader(request, 'authorization')))
      assert.equal(await lettersIn(jwt.authenticate(request)), false)
      assert.equal(await lettersIn(admin.authenticate(request)), false)
      const sent = cookies.read(request)
      if (sent.kind === 'token') assert.ok(isSessionToken(sent.token))
    }),
    { numRuns: 1000 },
  )
})

test('a token with any one character changed, taken out or put in is no token', async () => {
  assert.equal(await lettersIn(jwt.authenticate(withBearer(good))), true)
  assert.equal(await lettersIn(admin.authenticate(withBearer(adminToken))), true)
  const letter = fc.constantFrom(...'AZaz09-_.=+/ "\u0000é')
  await fc.assert(
    fc.asyncProperty(
      fc.nat(10_000),
      letter,
      fc.constantFrom('change', 'cut', 'add'),
      async (at, other, how) => {
        for (const [authenticator, token] of [
          [jwt, good],
          [admin, adminToken],
        ] as const) {
          const place = at % token.length
          const kept = how === 'add' ? token.slice(place) : token.slice(place + 1)
          const changed = `${token.slice(0, place)}${how === 'cut' ? '' : other}${kept}`
          if (changed === token || (authenticator === jwt && isSameSignature(changed))) continue
          // A space at its ends is the parser's of HTTP, which takes it off.
          if (changed.trim() === token) continue
          assert.equal(await lettersIn(authenticator.authenticate(withBearer(changed))), false, changed)
        }
      },
    ),
    { numRuns: 1000 },
  )
})

test('a signed token is somebody only with claims of the right kinds', async () => {
  const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant(undefined))
  const orRight = (right: unknown) =>
    fc.oneof({ weight: 3, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: odd })
  let known = 0
  await fc.assert(
    fc.asyncProperty(
      orRight('ann'),
      orRight(9_999_999_999),
      orRight('app'),
      odd,
      odd,
      async (sub, exp, aud, roles, tenant) => {
        const token = signWithSecret({ alg: 'HS256' }, { iss: issuer, sub, exp, aud, roles, tenant }, secret)
        const outcome = await jwt.authenticate(withBearer(token))
        if (outcome.kind !== 'identity') return
        known += 1
        const { identity } = outcome
        assert.ok(typeof identity.sub === 'string' && identity.sub !== '')
        assert.ok(typeof exp === 'number' && [aud].flat().includes('app'))
        assert.ok(identity.tenant === undefined || typeof identity.tenant === 'string')
        assert.ok(identity.roles.every((role) => typeof role === 'string'))
      },
    ),
    { numRuns: 500 },
  )
  assert.ok(known > 0, 'some of them are right')
})

test('no header of a token makes another secret the right one', async () => {
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('none', 'HS256', 'RS256', 'dir', 'kid', '__proto__'),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(
        fc.constantFrom('alg', 'kid', 'typ', 'jwk', 'jku', 'x5c', 'crit', 'b64', 'zip', 'enc', 'cty'),
        odd,
      ),
      text,
      async (header, other) => {
        const token = signWithSecret({ alg: 'HS256', ...header }, claims, other)
        assert.equal(other !== secret && (await lettersIn(jwt.authenticate(withBearer(token)))), false)
      },
    ),
    { numRuns: 500 },
  )
})

test('no text is a session or a key that nobody was given', async (t) => {
  const { sessions, keys } = await createIdentityFixture(t)
  const shaped = fc.oneof(
    text,
    fc.string({ unit: fc.constantFrom(...'abcXYZ019-_'), minLength: 43, maxLength: 43 }),
    fc
      .string({ unit: fc.constantFrom(...'abcXYZ019-_'), minLength: 56, maxLength: 56 })
      .map((each) => `mk_${each.slice(0, 12)}_${each.slice(12, 55)}`),
  )
  await fc.assert(
    fc.asyncProperty(shaped, async (each) => {
      assert.notEqual((await sessions.find(each)).kind, 'found')
      assert.notEqual((await keys.find(each)).kind, 'found')
      const id = apiKeyId(each)
      assert.ok(id === undefined || each.startsWith(`mk_${id}_`))
    }),
    { numRuns: 300 },
  )
})

test('a token against forged requests belongs to one session', () => {
  const [own, other] = [createSessionToken(), createSessionToken()]
  assert.equal(isCsrfToken(own, csrfToken(own)), true)
  assert.equal(isCsrfToken(own, csrfToken(other)), false)
  fc.assert(fc.property(text, (sent) => isCsrfToken(own, sent) === (sent === csrfToken(own))))
})

/** The last character of a signature has bits that stand for nothing. */
function isSameSignature(token: string): boolean {
  const [head, body, signature = ''] = token.split('.')
  const [ownHead, ownBody, ownSignature = ''] = good.split('.')
  const bytes = (part: string) => Buffer.from(part, 'base64url').toString('hex')
  return (
    head === ownHead &&
    body === ownBody &&
    /^[\w-]+$/.test(signature) &&
    bytes(signature) === bytes(ownSignature)
  )
}
