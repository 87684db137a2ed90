import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadConfig } from '../../src/config/load.js'
import { plugin, type TestHost, useHost } from '../helpers/create-host.js'
import { createGatewayPlace } from '../helpers/gateway-process.js'
import type { Answer } from '../helpers/http-client.js'

/** What pages of other origins may do, over sockets: each key of the policy, preflights, and the rule of credentials. */

const app = 'https://app.example.com'
const stranger = 'https://evil.example'
const echo = plugin(
  'echo',
  `
local public = { public = true }
http.handle("GET", "/plain", function() return { json = { ok = true } } end, public)
http.handle("PUT", "/plain", function() return { status = 201 } end, public)
`,
)
const path = '/api/v1/plugins/echo/plain'

const ask = (
  server: TestHost,
  origin: string,
  more: Readonly<Record<string, string>> = {},
  target = path,
): Promise<Answer> =>
  server.send('OPTIONS', target, {
    headers: { origin, 'access-control-request-method': 'PUT', ...more },
  })

/** The headers about origins that an answer has. */
function corsOf({ headers }: Answer): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith('access-control-'))
      .map(([name, value]) => [name.slice('access-control-'.length), value]),
  )
}

const varies = ({ headers }: Answer): readonly string[] =>
  (headers.vary ?? '').split(/,\s*/).filter((name) => name !== '' && name !== 'Accept-Encoding')

const withCors = (cors: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}) => ({
  plugins: { 'echo/init.lua': echo },
  config: {
    ...Object.fromEntries(Object.entries(cors).map(([key, value]) => [`gateway.cors.${key}`, value])),
    ...more,
  },
})

describe('cors with nothing but its defaults', () => {
  const server = useHost({ plugins: { 'echo/init.lua': echo }, config: { 'gateway.cors': {} } })

  it('lets every origin read, without credentials', async () => {
    for (const origin of [app, stranger, 'null']) {
      const answer = await server().send('GET', path, { headers: { origin } })
      assert.deepEqual(corsOf(answer), { 'allow-origin': '*' })
      assert.deepEqual(varies(answer), [])
    }
  })

  it('answers a preflight with 204, the methods, a day, and the headers that it asked for', async () => {
    const answer = await ask(server(), app, { 'access-control-request-headers': 'x-one, X-Two' })
    assert.equal(answer.status, 204)
    assert.equal(answer.text, '')
    assert.equal(answer.headers['content-length'] ?? '0', '0')
    assert.deepEqual(corsOf(answer), {
      'allow-origin': '*',
      'allow-methods': 'GET, HEAD, PUT, PATCH, POST, DELETE',
      'allow-headers': 'x-one, X-Two',
      'max-age': '86400',
    })
    assert.deepEqual(varies(answer), ['Access-Control-Request-Headers'])
    assert.deepEqual(corsOf(await ask(server(), app))['allow-headers'], undefined, 'none was asked for')
  })

  it('says nothing to requests that no page sends', async () => {
    assert.deepEqual(corsOf(await server().send('GET', path)), {})
    const bare = await server().send('OPTIONS', path, { headers: { origin: app } })
    assert.notEqual(bare.status, 204, 'OPTIONS without a method asked for is no preflight')
  })
})

describe('cors with every key', () => {
  const server = useHost(
    withCors(
      {
        origin: [app, 'https://admin.example.com'],
        methods: ['GET', 'PUT'],
        allowedHeaders: ['X-Team', 'Content-Type'],
        exposedHeaders: ['X-RateLimit-Remaining', 'Retry-After'],
        credentials: true,
        maxAge: 600,
      },
      {
        'gateway.rateLimit.requests': 10_000,
        'gateway.rateLimit.window': '1h',
        'gateway.rateLimit.rules': [{ paths: ['/health'], requests: 1 }],
      },
    ),
  )

  it('gives each origin of the list back, and says that it depends on it', async () => {
    for (const origin of [app, 'https://admin.example.com']) {
      const answer = await server().send('GET', path, { headers: { origin } })
      assert.equal(answer.status, 200)
      assert.deepEqual(corsOf(answer), {
        'allow-origin': origin,
        'allow-credentials': 'true',
        'expose-headers': 'X-RateLimit-Remaining, Retry-After',
      })
      assert.deepEqual(varies(answer), ['Origin'])
    }
  })

  it('has on a preflight what it was told, and not what was asked for', async () => {
    const answer = await ask(server(), app, { 'access-control-request-headers': 'x-other' })
    assert.equal(answer.status, 204)
    assert.deepEqual(corsOf(answer), {
      'allow-origin': app,
      'allow-credentials': 'true',
      'allow-methods': 'GET, PUT',
      'allow-headers': 'X-Team, Content-Type',
      'expose-headers': 'X-RateLimit-Remaining, Retry-After',
      'max-age': '600',
    })
  })

  for (const origin of [stranger, 'null', `${app}.evil.example`, 'http://app.example.com', `${app}:8443`]) {
    it(`says nothing to ${origin}, but that it depends`, async () => {
      for (const answer of [
        await server().send('GET', path, { headers: { origin } }),
        await ask(server(), origin),
      ]) {
        assert.deepEqual(corsOf(answer), {})
        assert.notEqual(answer.status, 204, 'a preflight of nobody is no concern of the gateway: see 0035')
        assert.deepEqual(varies(answer), ['Origin'])
      }
    })
  }

  it('is there on every kind of answer: of a plugin, of nobody, without a credential, of a stream', async () => {
    const headers = { origin: app }
    for (const [target, status] of [
      [path, 200],
      ['/nowhere', 404],
      ['/gateway/api/stats', 401],
      ['/a/../b', 400],
    ] as const) {
      const answer = await server().send('GET', target, { headers })
      assert.equal(answer.status, status, target)
      // What cannot be read in one way is refused ahead of every stage.
      if (status !== 400) assert.equal(answer.headers['access-control-allow-origin'], app, target)
    }
  })

  it('answers a preflight of one segment, which comes to nothing else, with a shell neither', async () => {
    const { status } = await server().send('OPTIONS', '/deployments', {
      headers: { origin: app, 'access-control-request-method': 'PUT' },
    })
    assert.equal(status, 204)
  })

  it('lets the page that the rate limit refuses read so', async () => {
    const get = () => server().send('GET', '/health', { headers: { origin: app } })
    assert.equal((await get()).status, 200)
    const refused = await get()
    assert.equal(refused.status, 429)
    assert.deepEqual(corsOf(refused), {
      'allow-origin': app,
      'allow-credentials': 'true',
      'expose-headers': 'X-RateLimit-Remaining, Retry-After',
    })
    assert.equal((await ask(server(), app, {}, '/health')).status, 204, 'preflights are not counted')
  })

  it('refuses credentials for every origin of an admin as well, and changes nothing', async () => {
    const json = { name: 'all', origins: ['*'], credentials: true }
    const headers = server().credentials
    const refused = await server().send('POST', '/gateway/api/cors/rules', { headers, json })
    assert.equal(refused.status, 400)
    assert.equal(refused.json().code, 'CORS_CREDENTIALS_WILDCARD')
    assert.deepEqual(corsOf(await server().send('GET', path, { headers: { origin: stranger } })), {})
  })
})

describe('cors with a text of origins, and preflights left to what is behind', () => {
  const server = useHost(withCors({ origin: `${app}, https://b.example`, preflight: false }))

  it('takes a text with commas as a list of origins', async () => {
    for (const origin of [app, 'https://b.example']) {
      const answer = await server().send('GET', path, { headers: { origin } })
      assert.deepEqual(corsOf(answer), { 'allow-origin': origin })
    }
  })

  it('answers no preflight', async () => {
    const answer = await ask(server(), app)
    assert.notEqual(answer.status, 204)
    assert.deepEqual(corsOf(answer), { 'allow-origin': app })
  })
})

describe('credentials', () => {
  const remedy =
    /gateway\.cors\.credentials.*cannot be true while gateway\.cors\.origin is "\*".*name the origins/
  for (const [name, section, environment] of [
    ['in the file', { cors: { origin: '*', credentials: true } }, {}],
    ['in a list', { cors: { origin: [app, '*'], credentials: true } }, {}],
    ['without an origin', { cors: { credentials: true } }, {}],
    ['of a variable', { cors: { origin: '*' } }, { GATEWAY_CORS_CREDENTIALS: 'true' }],
  ] as const) {
    it(`for every origin do not start: ${name}`, async (t) => {
      const { place, refuse } = await createGatewayPlace(t, section)
      const file = join(place.folder, 'config.json')
      assert.throws(
        () => loadConfig({ environment, file }),
        ({ message }: Error) => remedy.test(message),
      )
      // That a process ends with this is the same for all of them.
      if (name !== 'of a variable') return
      const { code, err, out } = await refuse(environment)
      assert.notEqual(code, 0)
      assert.match(err, remedy)
      assert.doesNotMatch(out, /serves/)
    })
  }
})
