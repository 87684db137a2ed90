import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { createClient } from '../../sdk/client/index.js'
import { plugin, startHost, type TestHost, type TestHostOptions } from '../helpers/create-host.js'
import {
  CookieClient,
  freePort,
  settingsOf,
  startProvider,
  type TestProvider,
} from '../helpers/oidc-world.js'
import { until } from '../helpers/until.js'

const plugins = {
  'who/init.lua': plugin(
    'who',
    `http.handle("GET", "/known", function(req) return { json = req.identity } end)`,
  ),
}
const known = '/api/v1/plugins/who/known'
const login = '/api/v1/auth/oidc/local/login'
const callback = '/api/v1/auth/oidc/local/callback'

interface World {
  readonly provider: TestProvider
  readonly server: TestHost
  readonly browser: CookieClient
  /** Begins a sign-in and goes as far as the way back, whose address it gives. */
  begin(browser?: CookieClient): Promise<string>
  signIn(browser?: CookieClient, path?: string): ReturnType<CookieClient['follow']>
  identity(browser?: CookieClient): Promise<Record<string, unknown>>
}

interface WorldOptions {
  readonly settings?: Readonly<Record<string, unknown>>
  readonly config?: TestHostOptions['config']
  readonly provider?: Parameters<typeof startProvider>[2]
}

async function start(test: TestContext, options: WorldOptions = {}): Promise<World> {
  const port = await freePort()
  const provider = await startProvider(test, port, options.provider)
  const server = await startHost(test, {
    plugins,
    port,
    config: {
      'auth.authenticators': { local: settingsOf(provider, port, options.settings) },
      ...options.config,
    },
  })
  return inBrowser(provider, server)
}

/** A world as a browser sees it that nobody has used. */
function inBrowser(provider: TestProvider, server: TestHost): World {
  const browser = new CookieClient()
  return {
    provider,
    server,
    browser,
    async begin(who = browser) {
      const { url } = await who.follow(`${server.url}${login}?redirect=${known}`, (at) =>
        at.includes('/callback?'),
      )
      return url
    },
    signIn: (who = browser, path = known) =>
      who.follow(`${server.url}${login}?redirect=${encodeURIComponent(path)}`),
    async identity(who = browser) {
      const answer = await who.send('GET', `${server.url}${known}`)
      assert.equal(answer.status, 200, answer.text)
      return answer.json()
    },
  }
}

const codeOf = (text: string) =>
  (JSON.parse(text) as { error?: { code?: string }; code?: string }).error?.code

describe('signing in at a provider', () => {
  let world: World | undefined
  const ended: (() => unknown)[] = []
  const shared = () => {
    const { provider, server } = world ?? assert.fail('the host does not run')
    return inBrowser(provider, server)
  }

  before(async () => {
    const context = { after: (work: () => unknown) => void ended.push(work) } as unknown as TestContext
    world = await start(context, { settings: { displayName: 'The company' } })
  })
  after(async () => {
    for (const end of ended.reverse()) await end()
  })

  it('opens a session, and leads to where it was begun', async () => {
    const { provider, server, browser, signIn } = shared()
    const listed = await browser.send('GET', `${server.url}/api/v1/auth/providers`)
    assert.deepEqual(listed.json(), {
      providers: [{ name: 'local', display_name: 'The company', login_path: login }],
    })
    const client = createClient({ url: server.url, token: 'nobody-knows-it' })
    assert.deepEqual(await client.auth.providers(), listed.json<{ providers: unknown }>().providers)
    assert.equal(provider.requests.size, 0, 'nobody is asked before somebody signs in')
    provider.person = {
      subject: 'id-of-ann',
      claims: { preferred_username: 'Ann', name: 'Ann Lee', email: 'ann@example.com', email_verified: true },
    }
    const { url, answer } = await signIn()
    assert.equal(new URL(url).pathname, known)
    assert.equal(answer?.status, 200, answer?.text)
    const identity = answer?.json<{ type: string; name: string; email: string }>()
    assert.equal(identity?.name, 'Ann')
    assert.equal(identity?.email, 'ann@example.com')
    const names = [...browser.cookiesOf(server.url).keys()]
    assert.deepEqual(names, ['modulacms_session'], 'nothing is left of the sign-in')
    const me = await browser.send('GET', `${server.url}/api/v1/auth/me`)
    assert.deepEqual(me.json<{ user: { external: unknown } }>().user.external, {
      issuer: provider.issuer,
      subject: 'id-of-ann',
    })
    assert.ok(!JSON.stringify(server.lines).includes('code='), 'no code is logged')
  })

  it('sends along what proves who began, and nothing that a reader could use', async () => {
    const { server, browser } = shared()
    const answer = await browser.send('GET', `${server.url}${login}`)
    assert.equal(answer.status, 302)
    const { searchParams } = new URL(answer.headers.location ?? '')
    assert.equal(searchParams.get('response_type'), 'code')
    assert.equal(searchParams.get('code_challenge_method'), 'S256')
    assert.match(searchParams.get('code_challenge') ?? '', /^[\w-]{43}$/)
    assert.match(searchParams.get('state') ?? '', /^[\w-]{43}$/)
    assert.match(searchParams.get('nonce') ?? '', /^[\w-]{43}$/)
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.equal(answer.headers['referrer-policy'], 'no-referrer')
    const [cookie = ''] = answer.headers['set-cookie'] ?? []
    assert.match(cookie, /HttpOnly/)
    assert.match(cookie, /SameSite=Lax/)
    const [, secret = '-'] = /=([^.]+)\./.exec(cookie) ?? []
    assert.ok(!(answer.headers.location ?? '').includes(secret), 'the secret stays in the browser')
    const again = await new CookieClient().send('GET', `${server.url}${login}`)
    const other = new URL(again.headers.location ?? '').searchParams
    for (const name of ['state', 'nonce', 'code_challenge']) {
      assert.notEqual(other.get(name), searchParams.get(name), name)
    }
  })

  it('is finished once, in the browser that began it', async () => {
    const { server, browser, begin } = shared()
    const address = await begin()
    const cookies = new Map(browser.cookiesOf(server.url))
    const stranger = await new CookieClient().send('GET', address)
    assert.equal(codeOf(stranger.text), 'AUTH_SIGN_IN_UNKNOWN', 'another browser')
    const own = new CookieClient()
    await own.send('GET', `${server.url}${login}`)
    const [name = '', value = ''] = [...own.cookiesOf(server.url)][0] ?? []
    own.steal(server.url, new Map([[[...cookies.keys()][0] ?? name, value]]))
    assert.equal(
      codeOf((await own.send('GET', address)).text),
      'AUTH_SIGN_IN_UNKNOWN',
      'with its own sign-in',
    )
    const odd = address.replace(/state=[^&]+/, 'state=AAAAAAAA')
    assert.equal(codeOf((await browser.send('GET', odd)).text), 'AUTH_SIGN_IN_UNKNOWN', 'another state')
    const twice = `${address}&state=x`
    assert.equal(codeOf((await browser.send('GET', twice)).text), 'AUTH_SIGN_IN_UNKNOWN', 'two states')
    const finished = await browser.send('GET', address)
    assert.equal(finished.status, 302, finished.text)
    assert.equal(
      codeOf((await browser.send('GET', address)).text),
      'AUTH_SIGN_IN_UNKNOWN',
      'the cookie is gone',
    )
    const thief = new CookieClient()
    thief.steal(server.url, cookies)
    assert.equal(
      codeOf((await thief.send('GET', address)).text),
      'AUTH_SIGN_IN_UNKNOWN',
      'and does not count again',
    )
    assert.equal((await thief.send('GET', `${server.url}${known}`)).status, 401)
  })

  it('may go on in several tabs, of which too many forget each other', async () => {
    const { server, browser, begin } = shared()
    const first = await begin()
    const second = await begin()
    assert.equal((await browser.send('GET', second)).status, 302)
    assert.equal((await browser.send('GET', first)).status, 302)
    for (let count = 0; count < 20; count += 1) await browser.send('GET', `${server.url}${login}`)
    assert.ok(browser.cookiesOf(server.url).size <= 5)
  })

  it('takes no code of another sign-in', async () => {
    const { server, browser, begin } = shared()
    const victim = await begin(new CookieClient())
    const own = await begin()
    const code = new URL(victim).searchParams.get('code') ?? ''
    const injected = new URL(own)
    injected.searchParams.set('code', code)
    const answer = await browser.send('GET', injected.href)
    assert.equal(answer.status, 401, answer.text)
    assert.equal(codeOf(answer.text), 'AUTH_SIGN_IN_REFUSED')
    assert.equal((await browser.send('GET', `${server.url}${known}`)).status, 401)
  })

  it('takes no answer of another provider', async () => {
    const { browser, begin } = shared()
    for (const change of [
      (address: URL) => address.searchParams.set('iss', 'https://other.example'),
      (address: URL) => address.searchParams.delete('iss'),
    ]) {
      const address = new URL(await begin())
      change(address)
      const answer = await browser.send('GET', address.href)
      assert.equal(answer.status, 401, answer.text)
      assert.equal(codeOf(answer.text), 'AUTH_SIGN_IN_REFUSED')
    }
  })

  it('says that somebody did not want to, and nothing that the address says', async () => {
    const { browser, begin } = shared()
    const address = new URL(await begin())
    address.searchParams.delete('code')
    address.searchParams.set('error', 'access_denied')
    address.searchParams.set('error_description', 'call 555-0100')
    const answer = await browser.send('GET', address.href)
    assert.equal(answer.status, 401)
    assert.match(answer.text, /access_denied/)
    assert.doesNotMatch(answer.text, /555/)
  })

  it('leads to no other host', async () => {
    const { server, browser } = shared()
    for (const redirect of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      'evil.example',
      '/%2Fevil.example',
      '/%5Cevil.example',
      '/a%0d%0aset-cookie:x=1',
      '/a%09b',
      '/..//evil.example',
      'javascript:alert(1)',
      `/${'a'.repeat(1001)}`,
      '/é',
      '',
    ]) {
      const answer = await browser.send(
        'GET',
        `${server.url}${login}?redirect=${encodeURIComponent(redirect)}`,
      )
      assert.equal(answer.status, 400, redirect)
      assert.equal(codeOf(answer.text), 'AUTH_REDIRECT_REFUSED')
      assert.equal(answer.headers.location, undefined)
    }
    const twice = await browser.send('GET', `${server.url}${login}?redirect=/a&redirect=//evil.example`)
    assert.equal(twice.status, 400)
    const unknown = await browser.send('GET', `${server.url}/api/v1/auth/oidc/other/login`)
    assert.equal(codeOf(unknown.text), 'AUTH_PROVIDER_UNKNOWN')
    const bare = await browser.send('GET', `${server.url}${callback}`)
    assert.equal(codeOf(bare.text), 'AUTH_SIGN_IN_UNKNOWN')
  })

  it('ends here, and says where it ends there', async () => {
    const { provider, server, browser, signIn } = shared()
    await signIn()
    const session = await browser.send('GET', `${server.url}/api/v1/auth/session`)
    const { csrf_token: token } = session.json<{ csrf_token: string }>()
    const answer = await browser.send('POST', `${server.url}/api/v1/auth/logout`, { 'x-csrf-token': token })
    assert.equal(answer.status, 200, answer.text)
    const { end_session_url: address } = answer.json<{ end_session_url: string }>()
    assert.ok(address.startsWith(`${provider.issuer}/session/end?`), address)
    assert.equal(new URL(address).searchParams.get('client_id'), 'app')
    assert.equal((await browser.send('GET', `${server.url}${known}`)).status, 401)
  })

  it('goes on when the provider has changed its keys', async () => {
    const { provider, server, signIn, identity } = shared()
    assert.equal((await signIn()).answer?.status, 200)
    const { id } = await identity()
    await provider.rotate()
    // Who has asked for the keys just now does not ask again, so that another host is who does.
    await server.restart()
    const later = new CookieClient()
    assert.equal((await signIn(later)).answer?.status, 200)
    assert.equal((await identity(later)).id, id)
  })
})

describe('signing in at a provider that is another', () => {
  it('takes no code that was asked for without PKCE', async (test) => {
    const { server, browser } = await start(test, { provider: { pkce: { required: () => false } } })
    const begun = await browser.send('GET', `${server.url}${login}`)
    const downgraded = new URL(begun.headers.location ?? '')
    downgraded.searchParams.delete('code_challenge')
    downgraded.searchParams.delete('code_challenge_method')
    const { answer } = await browser.follow(downgraded.href)
    assert.equal(answer?.status, 401, answer?.text)
    assert.equal(codeOf(answer?.text ?? ''), 'AUTH_SIGN_IN_REFUSED')
  })

  it('waits for nobody: a provider that is down is 503, and asked again later', async (test) => {
    const { provider, browser, server, signIn } = await start(test)
    provider.answer((_request, response) => void response.writeHead(500).end())
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => browser.send('GET', `${server.url}${login}`)),
    )
    for (const answer of answers) {
      assert.equal(answer.status, 503)
      assert.equal(codeOf(answer.text), 'AUTH_UNAVAILABLE')
    }
    assert.ok((provider.requests.get('/.well-known/openid-configuration') ?? 0) < 5)
    provider.answer()
    await until('the provider is asked again', async () => {
      const answer = await browser.send('GET', `${server.url}${login}`)
      return answer.status === 302
    })
    assert.equal((await signIn()).answer?.status, 200)
  })
})

describe('tokens of a provider', () => {
  it('are verified with the keys that it publishes, also when it has changed them', async (test) => {
    const audience = 'https://app.example/api'
    const port = await freePort()
    const provider = await startProvider(test, port, {
      clients: [
        {
          client_id: 'app',
          client_secret: 'a-secret-between-the-two-of-them',
          grant_types: ['client_credentials'],
          response_types: [],
          redirect_uris: [],
        },
      ],
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => audience,
          getResourceServerInfo: () => ({ scope: '', accessTokenFormat: 'jwt' }),
        },
      },
    })
    const api = { type: 'jwt', issuer: provider.issuer, audience }
    const server = await startHost(test, { plugins, port, config: { 'auth.authenticators': { api } } })
    const client = new CookieClient()
    const fetchToken = async (): Promise<string> => {
      const answer = await fetch(`${provider.issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa('app:a-secret-between-the-two-of-them')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      })
      const said = (await answer.json()) as { access_token: string }
      assert.match(said.access_token ?? '', /^ey/, JSON.stringify(said))
      return said.access_token
    }
    const ask = async (token: string) =>
      (await client.send('GET', `${server.url}${known}`, { authorization: `Bearer ${token}` })).status
    const old = await fetchToken()
    assert.equal(await ask(old), 200)
    await provider.rotate()
    const fresh = await fetchToken()
    await server.restart()
    assert.equal(await ask(fresh), 200)
    assert.equal(await ask(old), 401, 'of a key that was taken back')
  })
})

describe('users of a provider', () => {
  it('are known by issuer and subject alone', async (test) => {
    const { provider, server, signIn, identity } = await start(test)
    const admin = server.credentials
    const created = await server.send('POST', '/api/v1/auth/users', {
      headers: admin,
      json: { username: 'ann', email: 'ann@example.com', roles: ['admin'] },
    })
    assert.equal(created.status, 201, created.text)
    const claims = { preferred_username: 'ann', email: 'ann@example.com', email_verified: true }
    provider.person = { subject: 'somebody', claims }
    await signIn()
    const first = await identity()
    assert.match(String(first.name), /^ann-[0-9a-f]{8}$/)
    assert.equal(first.email, undefined, "the address is another user's")
    assert.deepEqual(first.roles ?? [], [])
    const later = new CookieClient()
    provider.person = { subject: 'somebody', claims: { ...claims, preferred_username: 'renamed' } }
    await signIn(later)
    assert.equal((await identity(later)).name, first.name, 'the same user under another name')
    const other = new CookieClient()
    provider.person = { subject: 'somebody-else', claims: { preferred_username: '管理 Ädmin!' } }
    await signIn(other)
    assert.match(String((await identity(other)).name), /^Admin-[0-9a-f]{8}$/)
    assert.notEqual((await identity(other)).id, first.id)
  })

  it("have the roles that the provider says now, and none of the host's own without a map", async (test) => {
    const { provider, signIn, identity } = await start(test, {
      settings: {
        roles: { realm: true, clients: ['app'] },
        roleMap: { 'site-admin': ['operator', 'editor'] },
        tenant: 'acme',
      },
    })
    const claims = {
      realm_access: { roles: ['admin', 'staff', 'site-admin', 'owner', 'auditor'] },
      resource_access: { app: { roles: ['writer'] }, other: { roles: ['foreign'] } },
      groups: ['/people'],
      tenant: 'evil',
    }
    provider.person = { subject: 'ann', claims }
    await signIn()
    const found = await identity()
    assert.deepEqual(found.roles, ['staff', 'operator', 'editor', 'writer'])
    assert.deepEqual(found.groups, ['/people'])
    assert.equal(found.tenant_id ?? found.tenant, 'acme')
    provider.person = { subject: 'ann', claims: { realm_access: { roles: ['staff'] } } }
    await signIn(new CookieClient())
    assert.deepEqual((await identity()).roles, ['staff'], 'also in the session from before')
    provider.person = { subject: 'ann', claims: { realm_access: { roles: 'admin' } } }
    const { answer } = await signIn(new CookieClient())
    assert.equal(codeOf(answer?.text ?? ''), 'AUTH_ACCOUNT_UNUSABLE')
    assert.deepEqual((await identity()).roles, ['staff'])
  })

  it('are made only where that is allowed, and let in only while they are not disabled', async (test) => {
    const { provider, server, browser, signIn } = await start(test, { settings: { allowSignUp: false } })
    provider.person = { subject: 'ann', claims: {} }
    const refused = await signIn()
    assert.equal(refused.answer?.status, 403)
    assert.equal(codeOf(refused.answer?.text ?? ''), 'AUTH_SIGN_UP_CLOSED')
    const headers = server.credentials
    const created = await server.send('POST', '/api/v1/auth/users', {
      headers,
      json: { username: 'ann', external: { issuer: provider.issuer, subject: 'ann' } },
    })
    assert.equal(created.status, 201, created.text)
    assert.equal((await signIn()).answer?.status, 200)
    const disabled = await server.send('PATCH', '/api/v1/auth/users/ann', {
      headers,
      json: { disabled: true },
    })
    assert.equal(disabled.status, 200, disabled.text)
    const shut = await signIn(browser)
    assert.equal(shut.answer?.status, 403, shut.answer?.text)
    assert.equal(codeOf(shut.answer?.text ?? ''), 'AUTH_ACCOUNT_DISABLED')
    assert.equal((await browser.send('GET', `${server.url}${known}`)).status, 401)
  })

  it('become one when they sign in twice at once', async (test) => {
    const { provider, server, begin } = await start(test)
    provider.person = { subject: 'ann', claims: { preferred_username: 'ann' } }
    const browsers = Array.from({ length: 4 }, () => new CookieClient())
    const addresses = await Promise.all(browsers.map((browser) => begin(browser)))
    const answers = await Promise.all(addresses.map((address, at) => browsers[at]?.send('GET', address)))
    assert.deepEqual(
      answers.map((answer) => answer?.status),
      [302, 302, 302, 302],
    )
    const users = await server.send('GET', '/api/v1/auth/users', { headers: server.credentials })
    assert.equal(users.text.split('"username"').length - 1, 1, users.text)
  })
})
