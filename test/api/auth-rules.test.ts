import assert from 'node:assert/strict'
import { createHmac, createPublicKey } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { JWK } from 'jose'
import { openHost, plugin, type TestHost } from '../helpers/create-host.js'
import { rawRequest, sendRaw } from '../helpers/raw-http.js'
import { startTokenIssuer, type TokenIssuer } from '../helpers/token-issuer.js'

const whoami = plugin(
  'who',
  `local function show(req) return { json = { user = req.user, path = req.path } } end
http.handle("GET", "/open", show, { public = true })
http.handle("GET", "/known", show)
http.handle("POST", "/open", show, { public = true })
http.handle("GET", "/tenants/{id}/data", show)`,
)

const base = '/api/v1/plugins/who'
const sharedSecret = 'a-secret-of-at-least-thirty-two-characters'

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signs a token with a secret, whatever it says of itself. */
function signWithSecret(header: object, payload: object, secret: string | Buffer): string {
  const text = `${encode(header)}.${encode(payload)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

describe('rules of paths', () => {
  let issuer: TokenIssuer
  let host: (TestHost & { dispose(): Promise<void> }) | undefined
  const cleanups: (() => unknown)[] = []
  const server = () => host ?? assert.fail('the host does not run')

  before(async () => {
    issuer = await startTokenIssuer({ after: (close) => void cleanups.push(close as () => unknown) })
    host = await openHost({
      plugins: { 'who/init.lua': whoami },
      config: {
        'auth.authenticators': {
          jwt: { type: 'jwt', issuer: issuer.issuer, audience: 'app', jwksUri: issuer.jwksUri },
          partner: {
            type: 'jwt',
            issuer: 'https://partner.example',
            audience: ['app'],
            secret: sharedSecret,
          },
        },
        'auth.roles': { reader: ['plugins:read', 'gateway:read'] },
        'auth.http.authenticators': ['jwt', 'partner'],
        'auth.http.rules': [
          { paths: ['/health', `${base}/open`], methods: ['GET'], authenticators: [] },
          { paths: ['/api/v1/admin/**'], authenticators: ['jwt', 'admin-token'], authorizers: [] },
          { paths: ['/secret/**'], authenticators: ['jwt'], authorizer: 'admin_only' },
          { paths: ['/roles/**'], authenticators: ['jwt'], roles: ['editor', 'chief'] },
          { paths: ['/may/**'], authenticators: ['jwt'], permissions: ['gateway:*'] },
          {
            paths: [`${base}/tenants/**`],
            authenticators: ['jwt'],
            authorizer: 'tenant_scope',
            tenant: 'segment:6',
          },
          { paths: ['/secret/open'], authenticators: [] },
        ],
      },
    })
  })
  after(async () => {
    await host?.dispose()
    for (const cleanup of cleanups) await cleanup()
  })

  const get = (path: string, token?: string, headers: Record<string, string> = {}, method = 'GET') =>
    server().send(method, path, {
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
    })
  const statusOf = async (...args: Parameters<typeof get>) => (await get(...args)).status
  const codeOf = async (...args: Parameters<typeof get>) => {
    const { status, text } = await get(...args)
    return `${status} ${(JSON.parse(text) as { code?: string }).code ?? ''}`
  }

  it('FL-10: let the first one that holds decide, and the section where none does', async () => {
    assert.equal(await statusOf('/health'), 200)
    assert.equal(await statusOf(`${base}/open`), 200)
    assert.equal(
      await codeOf(`${base}/open`, undefined, {}, 'POST'),
      '401 AUTH_REQUIRED',
      'no plugin exempts itself',
    )
    assert.equal(await codeOf(`${base}/known`), '401 AUTH_REQUIRED')
    assert.equal(await codeOf('/secret/open'), '401 AUTH_REQUIRED', 'a later rule says nothing')
    const answer = await get(`${base}/known`, await issuer.sign({ name: 'Ann', roles: ['editor'] }))
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.json<{ user: unknown }>().user, { id: 'ann', username: 'Ann', role: 'editor' })
    assert.equal(
      await statusOf(`${base}/known`, signWithSecret({ alg: 'HS256' }, partnerClaims(), sharedSecret)),
      200,
    )
  })

  it('FL-14: name nobody at public paths, whatever is sent', async () => {
    const answer = await get(`${base}/open`, await issuer.sign({ roles: ['admin'] }))
    assert.deepEqual([answer.status, answer.json<{ user?: unknown }>().user], [200, undefined])
    assert.equal(await statusOf(`${base}/open`, 'nonsense'), 200)
  })

  it('ask permissions of the operations of the host, by roles of the token', async () => {
    const reader = await issuer.sign({ roles: ['reader'] })
    const admin = await issuer.sign({ realm_access: { roles: ['admin'] } })
    assert.equal(await statusOf('/api/v1/admin/plugins', reader), 200)
    assert.equal(await statusOf('/api/v1/admin/plugins/who/reload', reader, {}, 'POST'), 403)
    assert.equal(await statusOf('/api/v1/admin/plugins/who/reload', admin, {}, 'POST'), 200)
    assert.equal(await statusOf('/api/v1/admin/plugins', await issuer.sign()), 403)
    assert.equal(await statusOf('/api/v1/admin/plugins', server().host.adminToken.token), 200)
    assert.equal(
      await statusOf('/gateway/api/pipeline', server().host.adminToken.token),
      200,
      'where no rule holds',
    )
    assert.equal(await statusOf('/gateway/api/pipeline', reader), 200)
    assert.equal(await statusOf('/gateway/api/pipeline'), 401)
    assert.equal(
      await codeOf(`${base}/known`, server().host.adminToken.token),
      '401 AUTH_INVALID',
      'it is no jwt',
    )
  })

  it('FL-15: hold authorizers, all of which have to allow', async () => {
    assert.equal(await codeOf('/secret/x', await issuer.sign({ roles: ['editor'] })), '403 AUTH_DENIED')
    assert.equal(await statusOf('/secret/x', await issuer.sign({ roles: ['owner'] })), 404)
    assert.equal(await codeOf('/roles/x', await issuer.sign({ roles: ['reader'] })), '403 AUTH_DENIED')
    assert.equal(await statusOf('/roles/x', await issuer.sign({ roles: ['chief'] })), 404)
    assert.equal(await codeOf('/may/x', await issuer.sign({ roles: ['reader'] })), '403 AUTH_DENIED')
    assert.equal(await statusOf('/may/x', await issuer.sign({ roles: ['operator'] })), 404)
    const acme = await issuer.sign({ tenant: 'acme' })
    assert.equal(await statusOf(`${base}/tenants/acme/data`, acme), 200)
    assert.equal(await codeOf(`${base}/tenants/other/data`, acme), '403 AUTH_DENIED')
    assert.equal(await codeOf(`${base}/tenants/acme/data`, await issuer.sign()), '403 AUTH_DENIED')
  })

  it('FL-11: are not passed by another spelling of a path', async () => {
    const spellings = [
      '/api/v1//admin/plugins',
      '//api/v1/admin/plugins',
      '/api/v1/admin//plugins',
      '/api/v1/admin/plugins/',
      '/api/v1/%61dmin/plugins',
      '/api/v1/admin%2fplugins',
      '/api/v1/admin%252fplugins',
      '/api/v1/admin;x=1/plugins',
      '/API/V1/ADMIN/plugins',
      '/api/v1/Admin/plugins',
      '/api/v1/x/../admin/plugins',
      '/api/v1/x/%2e%2e/admin/plugins',
      '/api/v1/./admin/plugins',
      '/api/v1/x/..%2fadmin/plugins',
      '/api/v1/x/..;/admin/plugins',
      '/api/v1\\admin\\plugins',
      '/health/../api/v1/admin/plugins',
      '/health%2f..%2fapi/v1/admin/plugins',
      `${base}/open/../known`,
      `${base}/open%2f..%2fknown`,
      `${base}/open/..%2fknown`,
      `${base}//known`,
      '/secret%2fx',
      '/SECRET/x',
      '/secret//x',
      '/secret/x%00',
      '/secret/open/',
    ]
    const port = Number(new URL(server().url).port)
    for (const spelling of spellings) {
      const sent = rawRequest(`GET ${spelling}`, ['Host: host.example', 'Connection: close'])
      const { statuses } = await sendRaw(port, sent)
      assert.ok([400, 401, 404].includes(statuses[0] ?? 0), `${spelling} answered ${statuses[0]}`)
      if (statuses[0] === 404)
        assert.ok(!/admin|secret|who\/known/i.test(decodeURIComponent(spelling)), spelling)
    }
  })

  it('take no identity that a client claims', async () => {
    const claims = {
      'x-identity': encode({ sub: 'root', roles: ['admin'] }),
      'x-user': 'root',
      'x-forwarded-user': 'root',
    }
    assert.equal(await statusOf(`${base}/known`, undefined, claims), 401)
    assert.equal(await statusOf('/api/v1/admin/plugins', await issuer.sign(), claims), 403)
    const twice = await sendRaw(
      Number(new URL(server().url).port),
      rawRequest(`GET ${base}/known`, [
        'Host: host.example',
        'Authorization: Bearer nonsense',
        `Authorization: Bearer ${await issuer.sign()}`,
        'Connection: close',
      ]),
    )
    assert.deepEqual(twice.statuses, [400])
    for (const scheme of ['Basic', 'bearer2', 'Digest', '']) {
      const headers = { authorization: `${scheme} ${await issuer.sign()}`.trim() }
      assert.equal(await statusOf(`${base}/known`, undefined, headers), 401, scheme)
    }
  })

  it('take no token that is not signed, for here, and in time', async () => {
    const good = await issuer.sign()
    const now = Math.floor(Date.now() / 1000)
    const [head = '', body = '', signature = ''] = good.split('.')
    const claims = { iss: issuer.issuer, aud: 'app', sub: 'ann', exp: now + 300 }
    const jwks = (await (await fetch(issuer.jwksUri)).json()) as { keys: [JWK & { kid: string }] }
    const [jwk] = jwks.keys
    const pem = createPublicKey({ key: jwk as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
    const forged = {
      'alg none': `${encode({ alg: 'none' })}.${body}.`,
      'alg None with the signature': `${encode({ alg: 'None' })}.${body}.${signature}`,
      'no signature': `${head}.${body}.`,
      'the public key as a secret': signWithSecret({ alg: 'HS256', kid: jwk.kid }, claims, pem as string),
      'the modulus as a secret': signWithSecret({ alg: 'HS256', kid: jwk.kid }, claims, jwk.n as string),
      'a key that it brings': signWithSecret({ alg: 'HS256', jwk: { kty: 'oct', k: 'eA' } }, claims, 'x'),
      'another key': await (await otherIssuer()).sign(claims),
      'another key id': await issuer.sign({}, { kid: 'no-such-key' }),
      'a changed body': `${head}.${encode({ ...claims, roles: ['admin'] })}.${signature}`,
      'an unknown critical member': await issuer
        .sign({}, { crit: ['exp'], exp: 1 } as never)
        .catch(() => `${encode({ alg: 'RS256', crit: ['x'], x: 1 })}.${body}.${signature}`),
      expired: await issuer.sign({ exp: now - 120 }),
      'not yet valid': await issuer.sign({ nbf: now + 600 }),
      'no expiry': await issuer.sign({ exp: undefined }),
      'no subject': await issuer.sign({ sub: undefined }),
      'another audience': await issuer.sign({ aud: 'other' }),
      'no audience': await issuer.sign({ aud: undefined }),
      'another issuer': await issuer.sign({ iss: 'https://evil.example' }),
      'the secret of another': signWithSecret({ alg: 'HS256' }, claims, sharedSecret),
      'roles that are no list': await issuer.sign({ roles: { admin: true } }),
      'a subject that is too long': await issuer.sign({ sub: 'x'.repeat(300) }),
      'four parts': `${good}.x`,
      spaces: `${head} .${body}.${signature}`,
    }
    for (const [what, token] of Object.entries(forged)) {
      const answer = await get(`${base}/known`, token)
      assert.equal(answer.status, 401, `${what} answered ${answer.status} ${answer.text}`)
      assert.match(String(answer.headers['www-authenticate']), /^Bearer/, what)
      assert.ok(!answer.text.includes('app'), 'what is expected is not told')
    }
    assert.equal((await get(`${base}/known`, forged.expired)).json<{ code: string }>().code, 'AUTH_EXPIRED')
    assert.equal(await statusOf(`${base}/known`, good), 200)
    assert.equal(
      await statusOf(`${base}/known`, await issuer.sign({ exp: now - 30 })),
      200,
      'clocks may differ',
    )
  })

  const partnerClaims = () => ({
    iss: 'https://partner.example',
    aud: 'app',
    sub: 'bob',
    exp: Math.floor(Date.now() / 1000) + 300,
  })
  const otherIssuer = () => startTokenIssuer({ after: (close) => void cleanups.push(close as () => unknown) })
})

describe('the authorizers of the section', () => {
  for (const authenticators of [['*'], ['admin_token']]) {
    it(`hold where no rule does, but lock out neither the operator nor the login, asking ${authenticators}`, async () => {
      const host = await openHost({
        plugins: { 'who/init.lua': whoami },
        config: { 'auth.http.authenticators': authenticators, 'auth.http.authorizers': ['tenant_scope'] },
      })
      try {
        const asked = async (path: string, isAdmin: boolean, method = 'GET') => {
          const headers: Record<string, string> = isAdmin ? host.credentials : {}
          const { status, text } = await host.send(method, path, { headers })
          return `${status} ${/AUTH_\w+/.exec(text)?.[0] ?? ''}`
        }
        assert.equal(await asked(`${base}/open`, true), '403 AUTH_DENIED')
        assert.equal(
          await asked(`${base}/open`, false),
          authenticators[0] === '*' ? '403 AUTH_DENIED' : '401 AUTH_REQUIRED',
        )
        assert.equal(await asked('/api/v1/admin/plugins', true), '200 ')
        assert.equal(await asked('/health', false), '200 ')
        assert.equal(await asked('/api/v1/auth/login', false, 'POST'), '400 ')
        assert.equal(await asked('/api/v1/admin/plugins', false), '401 ')
      } finally {
        await host.dispose()
      }
    })
  }
})
