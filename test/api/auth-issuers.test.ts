import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { openHost, plugin, startHost, type TestHost, type TestHostOptions } from '../helpers/create-host.js'
import { startTokenIssuer, type TokenIssuer } from '../helpers/token-issuer.js'
import { until } from '../helpers/until.js'

const plugins = {
  'who/init.lua': plugin(
    'who',
    `local function show(req) return { json = { user = req.user } } end
http.handle("GET", "/open", show, { public = true })
http.handle("GET", "/known", show)`,
  ),
}

const known = '/api/v1/plugins/who/known'
const open = '/api/v1/plugins/who/open'

function configOf({ issuer, jwksUri }: TokenIssuer): TestHostOptions['config'] {
  return { 'auth.authenticators': { jwt: { type: 'jwt', issuer, audience: 'app', jwksUri } } }
}

function start(test: TestContext, issuer: TokenIssuer, config: TestHostOptions['config'] = {}) {
  return startHost(test, { plugins, config: { ...configOf(issuer), ...config } })
}

async function ask(server: TestHost, path: string, token?: string): Promise<string> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const { status, text, code } = await server.send('GET', path, { headers })
  if (status === 200) return '200'
  return `${status} ${code ?? (JSON.parse(text) as { code: string }).code}`
}

describe('an issuer of tokens', () => {
  let issuer: TokenIssuer
  let host: (TestHost & { dispose(): Promise<void> }) | undefined
  const server = () => host ?? assert.fail('the host does not run')
  const ended: (() => unknown)[] = []

  before(async () => {
    issuer = await startTokenIssuer({ after: (work) => void ended.push(work as () => Promise<void>) })
    host = await openHost({ plugins, config: { ...configOf(issuer) } })
  })
  after(async () => {
    await host?.dispose()
    for (const end of ended) await end()
  })

  it('are not asked for keys whose names somebody makes up', async () => {
    const asked: string[] = []
    for (let count = 0; count < 30; count += 1) {
      asked.push(await ask(server(), known, await issuer.sign({}, { kid: `made-up-${count}` })))
    }
    assert.deepEqual(new Set(asked), new Set(['401 AUTH_INVALID']))
    assert.equal(issuer.fetches(), 1)
    assert.equal(await ask(server(), known, await issuer.sign()), '200')
  })

  it('sign other things with the same keys, which let nobody in', async () => {
    for (const typ of ['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'oauth-authz-req+jwt']) {
      assert.equal(await ask(server(), known, await issuer.sign({}, { typ })), '401 AUTH_INVALID', typ)
    }
    for (const typ of ['JWT', 'at+jwt', 'application/at+jwt']) {
      assert.equal(await ask(server(), known, await issuer.sign({}, { typ })), '200', typ)
    }
  })

  it('are asked where nothing is said of paths, and strangers go on to what decides by itself', async () => {
    assert.equal(await ask(server(), open), '200')
    assert.equal(await ask(server(), open, 'of-somebody-else'), '200', 'a token for what is behind')
    assert.equal(await ask(server(), known, 'of-somebody-else'), '401 UNAUTHORIZED')
    const expired = await issuer.sign({ exp: 1 })
    assert.equal(await ask(server(), open, expired), '401 AUTH_EXPIRED')
  })

  it('may change their keys', async () => {
    const old = await issuer.sign()
    assert.equal(await ask(server(), known, old), '200')
    await issuer.rotate()
    const fresh = await issuer.sign()
    // Keys that nobody knows do not make the host ask for them again and again.
    const asked = issuer.fetches()
    const forged = await Promise.all(Array.from({ length: 20 }, () => ask(server(), known, fresh)))
    assert.ok(issuer.fetches() - asked <= 1)
    for (const outcome of forged) assert.ok(['200', '401 AUTH_INVALID'].includes(outcome), outcome)
    await server().restart()
    assert.equal(await ask(server(), known, fresh), '200')
    assert.equal(await ask(server(), known, old), '401 AUTH_INVALID', 'a key that was taken back')
  })
})

describe('issuers of tokens', () => {
  it('may say themselves where their keys are', async (test) => {
    const issuer = await startTokenIssuer(test)
    const jwt = { type: 'jwt', issuer: issuer.issuer, audience: 'app' }
    const server = await startHost(test, { plugins, config: { 'auth.authenticators': { jwt } } })
    assert.equal(issuer.fetches(), 0, 'nobody is asked before a token comes')
    assert.equal(await ask(server, known, await issuer.sign()), '200')
    assert.equal(await ask(server, known, await issuer.sign({ sub: 'bob' })), '200')
    assert.equal(issuer.fetches(), 2, 'once for the document, once for the keys')
  })

  it('that cannot be asked let nobody in, and say nothing of others', async (test) => {
    const issuer = await startTokenIssuer(test)
    const server = await start(test, issuer)
    const token = await issuer.sign()
    issuer.answer((_request, response) => void response.writeHead(500).end())
    const asked = issuer.fetches()
    const all = await Promise.all(Array.from({ length: 50 }, () => ask(server, known, token)))
    assert.deepEqual(new Set(all), new Set(['503 AUTH_UNAVAILABLE']))
    assert.equal(
      issuer.fetches() - asked,
      1,
      'whoever sends tokens does not make the host ask again and again',
    )
    assert.equal(await ask(server, open, token), '503 AUTH_UNAVAILABLE', 'nobody is taken for a stranger')
    assert.equal(await ask(server, open), '200')
    const line = server.lines.find(({ msg }) => msg === 'an authenticator cannot tell')
    assert.equal(line?.authenticator, 'jwt')
    assert.ok(!JSON.stringify(server.lines).includes(token), 'no token is logged')
    issuer.answer()
    await until('the keys can be had again', async () => (await ask(server, known, token)) === '200')
  })

  it('FL-20: are not asked where nobody shall be known, but for the admin token', async (test) => {
    const issuer = await startTokenIssuer(test)
    const server = await start(test, issuer, {
      'auth.enabled': false,
      'auth.http.rules': [{ paths: ['/**'], authenticators: ['jwt'] }],
    })
    assert.equal(await ask(server, open), '200')
    assert.equal(await ask(server, open, await issuer.sign({ exp: 1 })), '200')
    assert.equal(await ask(server, known, await issuer.sign()), '401 UNAUTHORIZED')
    assert.equal(await ask(server, '/api/v1/admin/plugins', server.host.adminToken.token), '200')
    assert.equal(
      await ask(server, '/api/v1/admin/plugins', await issuer.sign({ roles: ['admin'] })),
      '401 UNAUTHORIZED',
    )
    assert.ok(
      server.lines.some(({ level, msg }) => level === 'warn' && msg.includes('auth.enabled is false')),
    )
  })

  it('FL-13: that are named and not there stop the start, all at once', async (test) => {
    const issuer = await startTokenIssuer(test)
    const config = {
      'auth.http.authenticators': ['jwtt'],
      'auth.http.authorizers': ['nobody'],
      'auth.http.rules': [
        { paths: ['/a/**'], authenticators: ['jwt', 'worker_token'], authorizer: 'admin-onyl' },
        {
          paths: ['/b'],
          authenticators: ['jwt'],
          permissions: ['plugins:eat'],
          authorizer: 'none',
          authorizers: ['none'],
        },
      ],
    }
    await assert.rejects(start(test, issuer, config), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'AUTH_SETTINGS_INVALID')
      for (const part of [
        /rules\[0\]\.authenticators names "worker_token"/,
        /"admin-onyl", which is nobody: did you mean admin_only/,
        /"plugins:eat"/,
        /rules\[1\] has both authorizer and authorizers/,
        /auth\.http\.authenticators names "jwtt", which is nobody: did you mean jwt\?/,
        /auth\.http\.authorizers names "nobody"/,
      ]) {
        assert.match(error.message, part)
      }
      return true
    })
  })

  it('with settings that cannot be are refused before anything starts', async (test) => {
    const issuer = await startTokenIssuer(test)
    const { issuer: name, jwksUri } = issuer
    const odd = [
      { type: 'jwt', issuer: 'somebody', audience: 'app' },
      { type: 'jwt', issuer: 'http://keys.example', audience: 'app' },
      { type: 'jwt', issuer: name, audience: 'app', clientId: 'app' },
      { type: 'jwt', issuer: name, audience: [], jwksUri },
      { type: 'jwt', issuer: name, audience: 'app', jwksUri, secret: 'x'.repeat(40) },
      { type: 'jwt', issuer: name, audience: 'app', secret: 'short' },
      { type: 'jwt', issuer: name, audience: 'app', jwksUri: 'http://keys.example/keys' },
      { type: 'jwt', issuer: name, audience: 'app', publicKey: 'no key' },
      { type: 'jwt', issuer: name, jwksUri },
      { type: 'ldap', issuer: name, audience: 'app', jwksUri },
      { type: 'jwt', issuer: name, audience: 'app', jwksUri, clockSkew: '3d' },
      { type: 'jwt', issuer: name, audience: 'app', jwksUri, skip_verification: true },
    ]
    for (const jwt of odd) {
      await assert.rejects(
        startHost(test, { plugins, config: { 'auth.authenticators': { jwt } } }),
        /auth\.authenticators/,
        JSON.stringify(jwt),
      )
    }
    for (const rule of [
      { paths: ['/a'] },
      { paths: [], authenticators: [] },
      { paths: ['a'], authenticators: [] },
      { paths: ['/v*/x'], authenticators: [] },
      { paths: ['/a/'], authenticators: [] },
      { paths: ['/a'], authenticators: [], tenant: 'body' },
      { paths: ['/a'], authenticators: ['*'] },
    ]) {
      await assert.rejects(
        startHost(test, { plugins, config: { 'auth.http.rules': [rule] } }),
        /auth\.http\.rules/,
        JSON.stringify(rule),
      )
    }
  })
})
