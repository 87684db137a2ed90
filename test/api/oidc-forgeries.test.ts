import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { startHost, type TestHost } from '../helpers/create-host.js'
import {
  type Forge,
  type ForgingProvider,
  startForgingProvider,
  tokens,
} from '../helpers/forging-provider.js'
import { CookieClient, freePort, settingsOf } from '../helpers/oidc-world.js'

const login = '/api/v1/auth/oidc/local/login'
const later = () => Math.floor(Date.now() / 1000) + 3600

type Forgery = (forge: Forge, nonce: string) => Promise<unknown> | unknown

/** ID tokens that must let nobody in, by what is wrong with them. */
const forgeries: Readonly<Record<string, Forgery>> = {
  'none at all': () => undefined,
  'no token': () => 'a.b.c',
  'alg none': (forge, nonce) => forge.unsigned(forge.claims(nonce)),
  'the public key as a secret': (forge, nonce) => forge.signWithText(forge.claims(nonce), forge.publicKey),
  'the client secret': (forge, nonce) =>
    forge.signWithText(forge.claims(nonce), 'a-secret-between-the-two-of-them'),
  'another key': (forge, nonce) => forge.signAsOther(forge.claims(nonce)),
  'another key under a name that nobody has': (forge, nonce) =>
    forge.signAsOther(forge.claims(nonce), { kid: 'mine' }),
  'a key that it brings along': (forge, nonce) =>
    forge.signAsOther(forge.claims(nonce), { jwk: forge.otherKey, kid: 'mine' }),
  'an address of keys': (forge, nonce) =>
    forge.signAsOther(forge.claims(nonce), { jku: `${forge.issuer}/mine`, kid: 'mine' }),
  'an address of a certificate': (forge, nonce) =>
    forge.signAsOther(forge.claims(nonce), { x5u: `${forge.issuer}/mine`, kid: 'mine' }),
  'a header that nobody knows': (forge, nonce) =>
    forge.sign(forge.claims(nonce), { crit: ['urn:example:odd'], 'urn:example:odd': true }),
  'a token for logging out': (forge, nonce) => forge.sign(forge.claims(nonce), { typ: 'logout+jwt' }),
  'an access token': (forge, nonce) => forge.sign(forge.claims(nonce), { typ: 'at+jwt' }),
  'another audience': (forge, nonce) => forge.sign({ ...forge.claims(nonce), aud: 'other' }),
  'several audiences, for another': (forge, nonce) =>
    forge.sign({ ...forge.claims(nonce), aud: ['app', 'other'], azp: 'other' }),
  'several audiences, for nobody': (forge, nonce) =>
    forge.sign({ ...forge.claims(nonce), aud: ['app', 'other'] }),
  'another client': (forge, nonce) => forge.sign({ ...forge.claims(nonce), azp: 'other' }),
  'another issuer': (forge, nonce) => forge.sign({ ...forge.claims(nonce), iss: 'https://other.example' }),
  'a time that is over': (forge, nonce) =>
    forge.sign({ ...forge.claims(nonce), iat: 1_000_000_000, exp: 1_000_000_300 }),
  'a time that has not come': (forge, nonce) => forge.sign({ ...forge.claims(nonce), nbf: later() }),
  'no end': (forge, nonce) => forge.sign({ ...forge.claims(nonce), exp: undefined }),
  'no subject': (forge, nonce) => forge.sign({ ...forge.claims(nonce), sub: undefined }),
  'a subject that is no text': (forge, nonce) => forge.sign({ ...forge.claims(nonce), sub: 7 }),
  'another nonce': (forge) => forge.sign(forge.claims('another')),
  'no nonce': (forge, nonce) => forge.sign({ ...forge.claims(nonce), nonce: undefined }),
}

async function start(test: TestContext): Promise<{ server: TestHost; provider: ForgingProvider }> {
  const provider = await startForgingProvider(test)
  const port = await freePort()
  const server = await startHost(test, {
    plugins: {},
    port,
    config: { 'auth.authenticators': { local: settingsOf(provider, port) } },
  })
  return { server, provider }
}

/** Begins a sign-in and comes back with a code, as if the provider had sent the browser. */
async function signIn({ server, provider }: { server: TestHost; provider: ForgingProvider }) {
  const browser = new CookieClient()
  const begun = await browser.send('GET', `${server.url}${login}`)
  assert.equal(begun.status, 302, begun.text)
  const { searchParams } = new URL(begun.headers.location ?? '')
  provider.nonce = searchParams.get('nonce') ?? ''
  const back = new URLSearchParams({
    code: 'the-code',
    state: searchParams.get('state') ?? '',
    iss: provider.issuer,
  })
  const answer = await browser.send('GET', `${server.url}/api/v1/auth/oidc/local/callback?${back}`)
  return { browser, answer }
}

describe('forged ID tokens', () => {
  it('let nobody in', async (test) => {
    const world = await start(test)
    const { server, provider } = world
    const right = await signIn(world)
    assert.equal(right.answer.status, 302, right.answer.text)
    for (const [name, forge] of Object.entries(forgeries)) {
      provider.answer = async (nonce) => tokens((await forge(provider, nonce)) as string | undefined)
      const { browser, answer } = await signIn(world)
      assert.equal(answer.status, 401, `${name}: ${answer.text}`)
      assert.equal(answer.headers.location, undefined, name)
      assert.ok(!browser.cookiesOf(server.url).has('modulacms_session'), name)
    }
    assert.equal(provider.requests.get('/mine'), undefined, 'no address of a token is asked')
    assert.ok((provider.requests.get('/keys') ?? 0) <= 2, 'nor the provider for each key that somebody names')
  })

  it('are told from access tokens, which say what roles somebody has, and only those of this client', async (test) => {
    const port = await freePort()
    const provider = await startForgingProvider(test)
    const settings = settingsOf(provider, port, { roles: { realm: true, clients: ['app'] } })
    const server = await startHost(test, {
      plugins: {},
      port,
      config: { 'auth.authenticators': { local: settings } },
    })
    const said = { realm_access: { roles: ['staff'] }, resource_access: { app: { roles: ['writer'] } } }
    const cases: readonly (readonly [Readonly<Record<string, unknown>>, readonly string[]])[] = [
      [{ azp: 'app' }, ['staff', 'writer']],
      [{ azp: 'other' }, []],
      [{}, []],
      [{ azp: 'app', sub: 'bob' }, []],
      [{ azp: 'app', iss: 'https://other.example' }, []],
      [{ azp: 'app', exp: 1 }, []],
    ]
    for (const [change, roles] of cases) {
      provider.answer = async (nonce) => ({
        ...tokens(await provider.sign(provider.claims(nonce))),
        access_token: await provider.sign({ ...provider.claims(nonce), aud: 'account', ...said, ...change }),
      })
      const { browser, answer } = await signIn({ server, provider })
      assert.equal(answer.status, 302, answer.text)
      const me = await browser.send('GET', `${server.url}/api/v1/auth/me`)
      assert.deepEqual(me.json<{ user: { roles: unknown } }>().user.roles, roles, JSON.stringify(change))
    }
  })

  it('of a provider that answers oddly are none', async (test) => {
    const world = await start(test)
    const { provider } = world
    for (const odd of [
      { error: 'invalid_grant' },
      { token_type: 'Bearer' },
      { ...tokens('x'), token_type: 'mac' },
      { ...tokens(await provider.sign(provider.claims('x'))), access_token: 7 },
    ]) {
      provider.answer = async () => odd
      const { answer } = await signIn(world)
      assert.equal(answer.status, 401, `${JSON.stringify(odd)}: ${answer.text}`)
    }
  })

  it('cannot be had from a provider that does not take PKCE with S256, or says it is another', async (test) => {
    for (const document of [
      { code_challenge_methods_supported: ['plain'] },
      { issuer: 'https://other.example' },
      { token_endpoint: undefined },
      { jwks_uri: 'http://keys.example/' },
    ]) {
      const { server, provider } = await start(test)
      provider.document = document
      const answer = await new CookieClient().send('GET', `${server.url}${login}`)
      assert.equal(answer.status, 503, JSON.stringify(document))
    }
  })
})

describe('settings of providers', () => {
  it('that cannot be are refused before anything starts', async (test) => {
    const good = settingsOf({ issuer: 'https://id.example' }, 8080)
    const odd: readonly Readonly<Record<string, unknown>>[] = [
      { ...good, issuer: 'http://id.example' },
      { ...good, issuer: 'id.example' },
      { ...good, clientId: undefined },
      { ...good, redirectUri: undefined },
      { ...good, redirectUri: 'http://app.example/api/v1/auth/oidc/local/callback' },
      { ...good, redirectUri: 'https://app.example/api/v1/auth/oidc/other/callback' },
      { ...good, redirectUri: 'https://app.example/api/v1/auth/oidc/local/callback?a=1' },
      { ...good, postLogoutRedirectUri: 'ftp://app.example' },
      { ...good, scopes: ['profile'] },
      { ...good, scopes: ['openid', 'a b'] },
      { ...good, algorithms: ['HS256'] },
      { ...good, tenant: 'acme', claims: { tenant: 'org' } },
      { ...good, audience: 'app' },
      { ...good, jwksUri: 'https://id.example/keys' },
      { ...good, sign_up: true },
      { ...good, roles: { realms: true } },
    ]
    for (const local of odd) {
      await assert.rejects(
        startHost(test, { plugins: {}, config: { 'auth.authenticators': { local } } }),
        /auth\.authenticators/,
        JSON.stringify(local),
      )
    }
    await assert.rejects(
      startHost(test, {
        plugins: {},
        config: { 'auth.authenticators': { local: good, 'lo-cal': good } },
      }),
      /auth\.authenticators/,
    )
  })
})
