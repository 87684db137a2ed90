import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startAttackedHost } from '../helpers/attacked-host.js'
import { type RawMessage, valuesOf } from '../helpers/raw-http.js'

const allow = (answer: RawMessage): readonly string[] => valuesOf(answer, 'access-control-allow-origin')
const variesBy = (answer: RawMessage): readonly string[] =>
  valuesOf(answer, 'vary').flatMap((value) => value.toLowerCase().split(/\s*,\s*/))

/** Paths that only an admin may use. */
const adminPaths = [
  '/api/v1/admin/plugins',
  '/gateway/api/stats',
  '/gateway/api/logs',
  '/gateway/api/sse',
  '/gateway/api/nothing',
  '/api/gateway/stats',
  '/redirects/api/rules',
  '/api/proxy/rules',
  '/keyval/api/keys',
  '/api/keyval/keys',
  '/metrics',
]

test('pages of other sites, and what they leave in the cache', { timeout: 180_000 }, async (t) => {
  const attacked = await startAttackedHost(t)
  const { ask, upstream, token } = attacked
  const bearer = `Authorization: Bearer ${token}`
  let count = 0
  const fresh = (): string => {
    count += 1
    return `/up/page-${count}.`
  }

  await t.test('origins that only look like one of ours get nothing', async () => {
    for (const origin of [
      'null',
      'https://good.com.evil.example',
      'https://evilgood.com',
      'https://goodxcom',
      'https://good.com:444',
      'http://good.com',
      'https://GOOD.com',
      'https://good.com/',
      'https://good.com.',
      'https://sub.good.com',
      'https://good.com@evil.example',
      'https://good.com evil.example',
      'https://good.com, https://evil.example',
      'https://apps.example',
      'https://evilapps.example',
      'https://a.apps.example.evil.example',
      'https://evil.example/.apps.example',
      'https://evil.example#.apps.example',
      'https://evil.example?.apps.example',
      'https://.apps.example',
      'file://',
      '*',
      'good.com',
    ]) {
      const plain = await ask('GET /api/v1/plugins/witness/seen', [`Origin: ${origin}`])
      assert.deepEqual(allow(plain), [], origin)
      assert.deepEqual(valuesOf(plain, 'access-control-allow-credentials'), [], origin)
      assert.ok(variesBy(plain).includes('origin'), 'Vary: Origin also without an answer')
      const preflight = await ask('OPTIONS /api/v1/plugins/witness/seen', [
        `Origin: ${origin}`,
        'Access-Control-Request-Method: DELETE',
      ])
      assert.deepEqual(allow(preflight), [], origin)
      assert.deepEqual(valuesOf(preflight, 'access-control-allow-methods'), [], origin)
    }
  })

  await t.test('origins of the list are named exactly, never as "*"', async () => {
    for (const origin of ['https://good.com', 'https://a.apps.example', 'https://a.b.apps.example']) {
      const answer = await ask('GET /api/v1/plugins/witness/seen', [`Origin: ${origin}`])
      assert.deepEqual(allow(answer), [origin])
      assert.deepEqual(valuesOf(answer, 'access-control-allow-credentials'), ['true'])
      assert.ok(variesBy(answer).includes('origin'))
    }
    const none = await ask('GET /api/v1/plugins/witness/seen')
    assert.deepEqual([allow(none), variesBy(none).includes('origin')], [[], true])
  })

  await t.test('two origins are no origin', async () => {
    const answer = await ask('GET /api/v1/plugins/witness/seen', [
      'Origin: https://good.com',
      'Origin: https://evil.example',
    ])
    assert.ok(answer.status === 400 || !allow(answer).includes('https://evil.example'))
  })

  await t.test('a server behind does not open itself, or us, to other origins', async () => {
    const path = fresh()
    upstream.answer(
      path.slice(3),
      'HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\nContent-Length: 1\r\n\r\nx',
    )
    const good = await ask(`GET ${path}`, ['Origin: https://good.com'])
    assert.deepEqual(allow(good), ['https://good.com'], 'one header, and it is ours')
    const evil = await ask(`GET ${path}`, ['Origin: https://evil.example'])
    assert.ok(!allow(evil).includes('https://good.com'), 'what is for one origin is not given to another')
  })

  await t.test('what is kept for one is not given to another', async () => {
    const differing: readonly (readonly [first: string[], second: string[]])[] = [
      [['X-Forwarded-Host: evil.example'], []],
      [['X-Forwarded-Proto: https'], []],
      [['X-Forwarded-Prefix: /evil'], []],
      [['X-Original-URL: /admin'], []],
      [['X-Rewrite-URL: /admin'], []],
      [['X-Host: evil.example'], []],
      [['Forwarded: host=evil.example'], []],
      [['Host: evil.example'], []],
      [['Host: host.example:1'], []],
      [['Authorization: Basic YTpi'], []],
      [['Cookie: session=1'], []],
      [['Range: bytes=0-0'], []],
      [['X-HTTP-Method-Override: DELETE'], []],
      [['Connection: X-Api-Key', 'X-Api-Key: 1'], ['X-Api-Key: 2']],
    ]
    for (const [first, second] of differing) {
      const path = fresh()
      await ask(`GET ${path}`, first)
      const other = await ask(`GET ${path}`, second)
      assert.deepEqual(valuesOf(other, 'x-cache')[0] === 'HIT', false, String(first))
      assert.equal(upstream.asked(path.slice(3)).length, 2, String(first))
      assert.doesNotMatch(other.body, /evil|YTpi|session=1/, String(first))
    }
  })

  await t.test('a body of a GET poisons nothing, and neither does a HEAD', async () => {
    const fat = fresh()
    await ask(`GET ${fat}`, ['Content-Length: 4'], { body: 'evil' })
    const clean = await ask(`GET ${fat}`)
    assert.equal(JSON.parse(clean.body).body, '')
    const headed = fresh()
    await ask(`HEAD ${headed}`, [], { isHead: true })
    assert.notEqual((await ask(`GET ${headed}`)).body, '')
  })

  await t.test('answers for one client, parts and cookies are not kept', async () => {
    for (const head of [
      'Set-Cookie: session=victim',
      'Cache-Control: private',
      'Cache-Control: no-store',
      'Vary: *',
      'Content-Range: bytes 0-0/9',
    ]) {
      const path = fresh()
      upstream.answer(path.slice(3), `HTTP/1.1 200 OK\r\n${head}\r\nContent-Length: 1\r\n\r\nx`)
      for (let times = 1; times <= 2; times += 1) {
        const answer = await ask(`GET ${path}`)
        assert.notEqual(valuesOf(answer, 'x-cache')[0], 'HIT', head)
      }
      assert.equal(upstream.asked(path.slice(3)).length, 2, head)
    }
  })

  await t.test('Vary is heard, and spelled targets are targets of their own', async () => {
    const path = fresh()
    upstream.answer(path.slice(3), (socket, request) => {
      const language = valuesOf(request, 'accept-language')[0] ?? '-'
      socket.write(
        `HTTP/1.1 200 OK\r\nVary: Accept-Language\r\nContent-Length: ${language.length}\r\n\r\n${language}`,
      )
    })
    for (const language of ['de', 'fr', 'de']) {
      assert.equal((await ask(`GET ${path}`, [`Accept-Language: ${language}`])).body, language)
    }
    assert.equal(upstream.asked(path.slice(3)).length, 2, 'the third came from the cache')
    const query = fresh()
    await ask(`GET ${query}?q=%0aevil`)
    assert.doesNotMatch((await ask(`GET ${query}?q=`)).body, /evil/)
    assert.doesNotMatch((await ask(`GET ${query}`)).body, /evil/)
  })

  await t.test('an error that a client has provoked is not kept for others', async () => {
    const path = fresh()
    upstream.answer(path.slice(3), (socket, request) => {
      const isOversized = valuesOf(request, 'x-oversized').length > 0
      socket.write(`HTTP/1.1 ${isOversized ? '400 Bad Request' : '200 OK'}\r\nContent-Length: 1\r\n\r\nx`)
    })
    assert.equal((await ask(`GET ${path}`, [`X-Oversized: ${'a'.repeat(4000)}`])).status, 400)
    assert.equal((await ask(`GET ${path}`)).status, 200)
  })

  await t.test('line ends in a path do not become lines anywhere', async () => {
    for (const path of [
      '/up/a%0d%0aSet-Cookie:%20admin=1',
      '/api/v1/plugins/witness/hop/a%0d%0aSet-Cookie:%20admin=1',
      '/missing%0d%0aSet-Cookie:%20admin=1',
      '/up/page?x=%0d%0aSet-Cookie:%20admin=1',
    ]) {
      const answer = await ask(`GET ${path}`)
      assert.deepEqual(valuesOf(answer, 'set-cookie'), [], path)
    }
    for (const { headers } of upstream.requests)
      assert.ok(headers.every(([name]) => name.toLowerCase() !== 'set-cookie'))
  })

  await t.test('the administration takes nothing that a browser sends by itself', async () => {
    for (const path of adminPaths) {
      for (const headers of [
        [],
        ['Cookie: modulacms_session=x; token=x; admin=1'],
        [`Cookie: modulacms_session=${token}; Authorization=${token}`],
        [`Authorization: Basic ${Buffer.from(`admin:${token}`).toString('base64')}`],
        ['Authorization: Bearer admin'],
        ['Authorization: Bearer '],
        [`X-Identity: {"sub":"admin","roles":["admin"]}`],
        ['Host: localhost', 'Origin: http://localhost'],
        ['Host: rebound.evil.example'],
        [bearer, 'Connection: Authorization'],
      ]) {
        const { status, body } = await ask(`GET ${path}`, headers)
        assert.equal(status, 401, `${path} ${headers} ${body.slice(0, 100)}`)
      }
      const inQuery = await ask(`GET ${path}?token=${token}&access_token=${token}`)
      assert.equal(inQuery.status, 401, path)
    }
  })

  await t.test('a form of another site changes nothing', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const body = '{"name":"evil","pattern":"^/evil","target":"http://127.0.0.1:1"}'
      const headers = [
        `Content-Type: ${type}`,
        `Content-Length: ${body.length}`,
        'Origin: https://evil.example',
      ]
      assert.equal((await ask('POST /redirects/api/rules', headers, { body })).status, 401)
      assert.equal((await ask('POST /gateway/api/rate-limit/clear', headers, { body })).status, 401)
    }
    const rules = await ask('GET /redirects/api/rules', [bearer])
    assert.equal(rules.status, 200)
    assert.doesNotMatch(rules.body, /evil/)
  })

  await t.test('the administration is asked neither through the cache nor through a rule', async () => {
    const first = await ask('GET /gateway/api/config', [bearer])
    assert.equal(first.status, 200)
    for (const path of ['/gateway/api/config', '/gateway/api/config?', '/gateway/api/%63onfig'])
      assert.equal((await ask(`GET ${path}`)).status, 401)
    assert.notEqual(valuesOf(first, 'x-cache')[0], 'HIT')
    assert.equal(upstream.asked('/gateway/api').length, 0)
    assert.doesNotMatch(first.body, new RegExp(token))
  })

  await attacked.assertWell()
})

test('with a list of hosts, no other name leads in', { timeout: 120_000 }, async (t) => {
  const { ask, raw, upstream, token } = await startAttackedHost(t, { hosts: ['host.example', '127.0.0.1'] })
  const bearer = `Authorization: Bearer ${token}`
  const hosts = [
    'evil.example',
    'localhost',
    '127.0.0.1.nip.io',
    'host.example.evil.example',
    '127.1',
    '0',
    '[::1]',
    '',
  ]
  for (const host of hosts) {
    for (const path of [...adminPaths, '/health', '/', '/up/x', '/api/v1/plugins/witness/seen', '/missing']) {
      const { status, headers } = await ask(`GET ${path}`, [`Host: ${host}`, bearer])
      assert.equal(status, 421, `${host} ${path}`)
      assert.ok(!headers.some(([name]) => name.toLowerCase() === 'x-ratelimit-limit'), 'no stage has seen it')
    }
  }
  const forwarded = ['Host: evil.example', 'X-Forwarded-Host: host.example', 'Forwarded: host=host.example']
  assert.equal((await ask('GET /health', forwarded)).status, 421)
  const absolute = await raw(
    'GET http://host.example/health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
  )
  assert.deepEqual(absolute.statuses, [400])
  const twice = await raw(
    'GET /health HTTP/1.1\r\nHost: host.example\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
  )
  assert.deepEqual(twice.statuses, [400])
  const without = await raw('GET /health HTTP/1.0\r\n\r\n')
  assert.deepEqual(without.statuses, [421])
  const upgrade = [
    'Host: evil.example',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: eA==',
  ]
  const socket = await raw(`GET /up/ws HTTP/1.1\r\n${upgrade.join('\r\n')}\r\n\r\n`)
  assert.deepEqual(socket.statuses, [421])
  assert.equal(upstream.requests.length, 0)
  for (const host of ['host.example', 'HOST.example:8080', 'host.example.', '127.0.0.1:1']) {
    assert.equal((await ask('GET /gateway/api/stats', [`Host: ${host}`, bearer])).status, 200, host)
    assert.equal((await ask('GET /gateway/api/stats', [`Host: ${host}`])).status, 401, host)
  }
})
