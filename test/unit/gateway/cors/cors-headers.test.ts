import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type CoreDatabase, createDatabase } from '../../../../src/database/database.js'
import type { CorsPolicy } from '../../../../src/gateway/cors/rule.js'
import { type CorsServer, createCorsServer } from '../../../helpers/cors-server.js'
import type { Answer } from '../../../helpers/http-client.js'

const app = 'https://app.test'
const other = 'https://other.test'

let folder: string
let database: CoreDatabase
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cors-'))
  database = await createDatabase({ file: join(folder, 'modula.db') })
})
after(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})

/** Everything that the gateway says about other origins. */
function corsOf({ headers }: Answer): Record<string, unknown> {
  const named = Object.entries(headers).filter(
    ([name]) => name.startsWith('access-control-') || name === 'vary',
  )
  return Object.fromEntries(named.map(([name, value]) => [name.replace('access-control-', ''), value]))
}

function withServer(
  title: string,
  configured: CorsPolicy | undefined,
  add: (server: () => CorsServer) => void,
) {
  describe(title, () => {
    let server: CorsServer
    before(async () => {
      server = await createCorsServer(database, configured)
    })
    after(() => server.close())
    add(() => server)
  })
}

const asks = { origin: app, 'access-control-request-method': 'PUT' }
const allMethods = 'GET, HEAD, PUT, PATCH, POST, DELETE'

withServer('everybody', { exposedHeaders: ['x-a', 'x-b'] }, (server) => {
  const simple = { 'allow-origin': '*', 'expose-headers': 'x-a, x-b' }

  for (const origin of [app, 'null', 'h\u00ff:odd', 'https://a.test, https://b.test']) {
    test(`an answer to ${origin} has *, never the origin, and no Vary`, async () => {
      assert.deepEqual(corsOf(await server().client.send('GET', '/plain', { headers: { origin } })), simple)
    })
  }

  test('an answer without Origin has no headers at all', async () => {
    assert.deepEqual(corsOf(await server().client.send('GET', '/plain')), {})
  })

  test('what the application says of its own is replaced, as to origins', async () => {
    const answer = await server().client.send('GET', '/own', { headers: { origin: app } })
    assert.deepEqual(corsOf(answer), { ...simple, vary: 'Accept-Encoding, origin' })
  })

  test('a preflight is answered, with the headers that it asks for', async () => {
    const headers = { ...asks, 'access-control-request-headers': 'x-one,X-Two' }
    const answer = await server().client.send('OPTIONS', '/plain', { headers })
    assert.equal(answer.status, 204)
    assert.equal(answer.text, '')
    assert.deepEqual(corsOf(answer), {
      ...simple,
      'allow-methods': allMethods,
      'allow-headers': 'x-one, X-Two',
      'max-age': '86400',
      vary: 'Access-Control-Request-Headers',
    })
    assert.ok(!server().routed.includes('OPTIONS /plain'))
  })

  for (const wrong of ['a b', 'x"y', 'x'.repeat(200), 'a,'.repeat(3000)]) {
    test(`requested headers like ${wrong.slice(0, 5)} are not given back`, async () => {
      const headers = { ...asks, 'access-control-request-headers': wrong }
      const answer = await server().client.send('OPTIONS', '/plain', { headers })
      assert.equal(answer.status, 204)
      assert.equal(answer.headers['access-control-allow-headers'], undefined)
    })
  }

  test('OPTIONS is no preflight without a method or without an origin', async () => {
    const options = (headers: Record<string, string>) => server().client.send('OPTIONS', '/own', { headers })
    assert.equal((await options({ origin: app })).text, 'own')
    const withoutOrigin = await options({ 'access-control-request-method': 'PUT' })
    assert.equal(withoutOrigin.text, 'own')
    assert.equal(withoutOrigin.headers['access-control-allow-origin'], 'https://own.test, *')
  })

  test('GET with a requested method is no preflight', async () => {
    assert.equal((await server().client.send('GET', '/plain', { headers: asks })).text, 'plain')
  })
})

const strict: CorsPolicy = {
  origin: `${app} *.apps.test`,
  methods: ['get', 'post'],
  allowedHeaders: 'x-a, x-b',
  credentials: true,
  maxAge: 60,
}

withServer('some origins with credentials', strict, (server) => {
  const simple = { 'allow-origin': app, 'allow-credentials': 'true', vary: 'Origin' }
  const get = (path: string, origin?: string) =>
    server().client.send('GET', path, origin === undefined ? {} : { headers: { origin } })

  const answers: readonly (readonly [string, number])[] = [
    ['/plain', 200],
    ['/rewritten', 200],
    ['/events', 200],
    ['/missing', 404],
    ['/failing', 500],
    ['/limited', 429],
    ['/broken', 503],
    ['/early', 401],
    ['/a/../b', 400],
  ]
  for (const [path, status] of answers) {
    test(`${path}, which answers ${status}, can be read by an origin that is let in`, async () => {
      const answer = await get(path, app)
      assert.equal(answer.status, status)
      assert.deepEqual(corsOf(answer), simple)
    })
    test(`${path}, which answers ${status}, cannot be read by another, and says that it depends`, async () => {
      const answer = await get(path, other)
      assert.equal(answer.status, status)
      assert.deepEqual(corsOf(answer), { vary: 'Origin' })
    })
  }

  for (const path of ['/own', '/elsewhere']) {
    test(`${path}: headers of the application never double`, async () => {
      assert.deepEqual(corsOf(await get(path, app)), { ...simple, vary: 'Accept-Encoding, origin' })
    })
    test(`${path}: headers of the application stay for an origin that no rule knows`, async () => {
      const answer = await get(path, other)
      assert.equal(answer.headers['access-control-allow-origin'], 'https://own.test, *')
      assert.equal(answer.headers.vary, 'Accept-Encoding, origin')
    })
  }

  test('an answer without Origin says that it depends, and nothing else', async () => {
    assert.deepEqual(corsOf(await get('/plain')), { vary: 'Origin' })
  })

  test('an origin of a pattern is given back as it is', async () => {
    assert.deepEqual(corsOf(await get('/plain', 'http://x.y.apps.test')), {
      ...simple,
      'allow-origin': 'http://x.y.apps.test',
    })
  })

  for (const origin of [
    'null',
    `${app}.evil.com`,
    'https://apps.test',
    `${app}, ${app}`,
    'https://evil.com@x.apps.test',
  ]) {
    test(`${origin} is not let in`, async () => {
      assert.deepEqual(corsOf(await get('/plain', origin)), { vary: 'Origin' })
      const headers = { origin, 'access-control-request-method': 'PUT' }
      const preflight = await server().client.send('OPTIONS', '/plain', { headers })
      assert.equal(preflight.status, 404)
      assert.deepEqual(corsOf(preflight), { vary: 'Origin' })
    })
  }

  test('a preflight has what the rule says, also for a path of one segment', async () => {
    const headers = { ...asks, 'access-control-request-headers': 'x-evil' }
    const answer = await server().client.send('OPTIONS', '/foo', { headers })
    assert.equal(answer.status, 204)
    assert.deepEqual(corsOf(answer), {
      ...simple,
      'allow-methods': 'GET, POST',
      'allow-headers': 'x-a, x-b',
      'max-age': '60',
    })
  })

  test('a preflight is answered before limits, so it costs a client nothing of them', async () => {
    assert.equal((await server().client.send('OPTIONS', '/limited', { headers: asks })).status, 204)
  })

  test('what the shell answers is not taken from it', async () => {
    const answer = await server().client.send('OPTIONS', '/early', { headers: asks })
    assert.equal(answer.status, 401)
    assert.deepEqual(corsOf(answer), simple)
  })

  test('a preflight of an unknown origin comes to the application', async () => {
    const headers = { ...asks, origin: other }
    const answer = await server().client.send('OPTIONS', '/own', { headers })
    assert.equal(answer.text, 'own')
    assert.equal(answer.headers['access-control-allow-methods'], 'BREW')
  })
})

withServer('preflights that are left to the application', { origin: app, preflight: false }, (server) => {
  test('come to it, and its methods stay', async () => {
    const answer = await server().client.send('OPTIONS', '/own', { headers: asks })
    assert.equal(answer.status, 200)
    assert.deepEqual(corsOf(answer), {
      'allow-origin': app,
      'allow-methods': 'BREW',
      vary: 'Accept-Encoding, origin',
    })
  })

  test('are answered for a rule of an admin', async () => {
    const { id } = await server().cors.add({ name: 'other', origins: other })
    const headers = { ...asks, origin: other }
    assert.equal((await server().client.send('OPTIONS', '/own', { headers })).status, 204)
    assert.equal(await server().cors.remove(id), true)
    assert.equal((await server().client.send('OPTIONS', '/own', { headers })).status, 200)
  })
})

withServer('no rule at all', undefined, (server) => {
  test('no header is added, and those of the application stay', async () => {
    const headers = { origin: app }
    assert.deepEqual(corsOf(await server().client.send('GET', '/plain', { headers })), {})
    const own = await server().client.send('GET', '/own', { headers })
    assert.equal(own.headers['access-control-allow-origin'], 'https://own.test, *')
    assert.equal((await server().client.send('OPTIONS', '/own', { headers: asks })).text, 'own')
  })
})

withServer('a rule that names an origin, before one for everybody', {}, (server) => {
  test('answers to everybody else depend on the origin as well', async () => {
    const { id } = await server().cors.add({ name: 'app', origins: [app], credentials: true })
    const get = (origin: string) => server().client.send('GET', '/plain', { headers: { origin } })
    assert.deepEqual(corsOf(await get(app)), {
      'allow-origin': app,
      'allow-credentials': 'true',
      vary: 'Origin',
    })
    assert.deepEqual(corsOf(await get(other)), { 'allow-origin': '*', vary: 'Origin' })
    await server().cors.remove(id)
    assert.deepEqual(corsOf(await get(app)), { 'allow-origin': '*' })
  })
})
