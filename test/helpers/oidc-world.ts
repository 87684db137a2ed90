import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { type Configuration, Provider } from 'oidc-provider'
import { type Answer, createHttpClient } from './http-client.js'

/** What a provider says of somebody, beside the subject. */
export type SaidClaims = Readonly<Record<string, unknown>>

/** A provider of OpenID Connect at which everybody is who the test says. */
export interface TestProvider {
  readonly issuer: string
  /** Who signs in next. */
  person: { readonly subject: string; readonly claims: SaidClaims }
  /** Requests by path since the start. */
  readonly requests: ReadonlyMap<string, number>
  /** Signs with another key from now on; the earlier ones are gone. */
  rotate(): Promise<void>
  /** Answers in another way than the provider; as the provider when missing. */
  answer(listener?: RequestListener): void
}

const clientId = 'app'
const clientSecret = 'a-secret-between-the-two-of-them'

/** Gives the settings with which a host lets people sign in there. */
export function settingsOf(
  { issuer }: Pick<TestProvider, 'issuer'>,
  port: number,
  more: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    type: 'oidc',
    issuer,
    clientId,
    clientSecret,
    redirectUri: redirectUriOf(port),
    allowSignUp: true,
    ...more,
  }
}

function redirectUriOf(port: number): string {
  return `http://127.0.0.1:${port}/api/v1/auth/oidc/local/callback`
}

/** Finds a port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => void server.close(() => resolve()))
  return port
}

/**
 * Starts a provider whose only client is the host at a port; it goes with the test.
 *
 * @param changes To the configuration of the provider.
 */
export async function startProvider(
  test: Pick<TestContext, 'after'>,
  port: number,
  changes: Configuration = {},
): Promise<TestProvider> {
  const requests = new Map<string, number>()
  let serve: RequestListener = () => undefined
  let override: RequestListener | undefined
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    requests.set(path, (requests.get(path) ?? 0) + 1)
    ;(override ?? serve)(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  test.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let keys = 0
  const world: TestProvider = {
    issuer,
    person: { subject: 'ann', claims: {} },
    requests,
    async rotate() {
      keys += 1
      const provider = new Provider(issuer, {
        ...configurationOf(world, port, [await createKey(`key-${keys}`)]),
        ...changes,
      })
      serve = listenerOf(provider, world)
    },
    answer: (listener) => {
      override = listener
    },
  }
  await world.rotate()
  return world
}

async function createKey(kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  return { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' }
}

function configurationOf(world: TestProvider, port: number, keys: readonly JWK[]): Configuration {
  return {
    jwks: { keys: keys as never },
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUriOf(port)],
        post_logout_redirect_uris: [`http://127.0.0.1:${port}/bye`],
      },
    ],
    cookies: { keys: ['a key for the cookies of the provider'] },
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'preferred_username', 'roles', 'groups', 'tenant', 'realm_access', 'resource_access'],
    },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, subject) => ({
      accountId: subject,
      claims: () => ({ ...world.person.claims, sub: subject }),
    }),
    async loadExistingGrant(context) {
      const { oidc } = context
      const clientId = oidc.client?.clientId as string
      const earlier = await oidc.provider.Grant.find(oidc.session?.grantIdFor(clientId) ?? '')
      if (earlier !== undefined) return earlier
      const grant = new oidc.provider.Grant({
        clientId,
        accountId: oidc.session?.accountId as string,
      })
      grant.addOIDCScope('openid profile email')
      await grant.save()
      return grant
    },
  }
}

/** The provider, whose page for signing in lets in whoever it is without a question. */
function listenerOf(provider: Provider, world: TestProvider): RequestListener {
  const callback = provider.callback()
  return (request: IncomingMessage, response: ServerResponse) => {
    if (!request.url?.startsWith('/interaction/')) return void callback(request, response)
    const result = { login: { accountId: world.person.subject } }
    provider.interactionFinished(request, response, result).catch((error: Error) => {
      response.writeHead(500).end(error.message)
    })
  }
}

/** Sends requests as a browser does: it keeps cookies by host, and goes where it is sent when it is told to. */
export class CookieClient {
  readonly #cookies = new Map<string, Map<string, string>>()

  /** The cookies that go to a host, by name. */
  cookiesOf(url: string): ReadonlyMap<string, string> {
    return this.#jar(url)
  }

  /** Takes cookies that another browser has. */
  steal(url: string, cookies: ReadonlyMap<string, string>): void {
    for (const [name, value] of cookies) this.#jar(url).set(name, value)
  }

  async send(method: string, url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const { origin, pathname, search } = new URL(url)
    const jar = this.#jar(url)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const client = createHttpClient(origin)
    try {
      const answer = await client.send(method, `${pathname}${search}`, {
        headers: { ...(cookie === '' ? {} : { cookie }), ...headers },
      })
      for (const line of answer.headers['set-cookie'] ?? []) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(name)
        else jar.set(name, value)
      }
      return answer
    } finally {
      client.close()
    }
  }

  /** Goes on until it is sent nowhere any more, or to where `stops` says. */
  async follow(
    start: string,
    stops: (url: string) => boolean = () => false,
  ): Promise<{ readonly url: string; readonly answer: Answer | undefined }> {
    let url = start
    for (let count = 0; count < 10; count += 1) {
      if (stops(url)) return { url, answer: undefined }
      const answer = await this.send('GET', url)
      const { location } = answer.headers
      if (location === undefined) return { url, answer }
      url = new URL(location, url).href
    }
    throw new Error(`it is sent on and on, at last to ${url}`)
  }

  #jar(url: string): Map<string, string> {
    const { host } = new URL(url)
    const jar = this.#cookies.get(host) ?? new Map<string, string>()
    this.#cookies.set(host, jar)
    return jar
  }
}
