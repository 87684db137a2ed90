import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { plugin, startHost, type TestHost } from '../helpers/create-host.js'

// This file runs as dist/test/e2e/gateway-plugins.test.js.
const bundled = fileURLToPath(new URL('../../../plugins', import.meta.url))

/** What the host loads of a bundled plugin. */
function filesOf(name: string): Record<string, string> {
  const files: Record<string, string> = {}
  const walk = (directory: string): void => {
    for (const entry of readdirSync(directory)) {
      const path = join(directory, entry)
      if (statSync(path).isDirectory()) walk(path)
      else if (entry.endsWith('.lua')) files[relative(bundled, path)] = readFileSync(path, 'utf8')
    }
  }
  walk(join(bundled, name))
  return files
}

/** Answers what comes to it with its method. */
const app = {
  'app/init.lua': plugin(
    'app',
    ['GET', 'POST']
      .map(
        (method) =>
          `http.handle("${method}", "/ok", function(req) return { body = req.method } end, { public = true })`,
      )
      .join('\n'),
  ),
}

const place = '/api/v1/plugins/app/ok'

const config = {
  'gateway.cors.enabled': true,
  'gateway.cors.origin': 'https://a.example',
  // A machine with much to do must not make a stage fail.
  'gateway.stage.timeout': '5s',
}

interface RawAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** Sends a request as it is written, on a connection of its own. */
function raw(server: TestHost, lines: readonly string[], body = ''): Promise<RawAnswer> {
  const { hostname, port } = new URL(server.url)
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname, () => {
      socket.write([...lines, 'Host: test', '', body].join('\r\n'))
    })
    const settle = () => {
      const [head = '', ...rest] = text.split('\r\n\r\n')
      resolve({ status: Number(head.split(' ')[1]), head: head.toLowerCase(), body: rest.join('\r\n\r\n') })
    }
    socket.setEncoding('latin1').on('data', (data) => {
      text += data
    })
    socket.on('end', settle).on('error', (error) => (text === '' ? reject(error) : settle()))
  })
}

const get = (server: TestHost, path: string, ...headers: readonly string[]) =>
  raw(server, [`GET ${path} HTTP/1.1`, ...headers, 'Connection: close'])

const webSocket = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

describe('request_validator', () => {
  it('refuses what its rules forbid, however it is written', async (t) => {
    const server = await startHost(t, { config, plugins: { ...app, ...filesOf('request_validator') } })
    const attacks: readonly (readonly [string, number, Promise<RawAnswer>])[] = [
      ['in capitals', 400, get(server, place, 'X-ORIGINAL-URL: /admin')],
      ['empty', 400, get(server, place, 'x-original-url:')],
      ['twice', 400, get(server, place, 'X-Rewrite-Url: /a', 'x-rewrite-url: /b')],
      ['an encoded path', 400, get(server, '/%61pi/v1/plugins/app/ok', 'X-Original-URL: /admin')],
      ['a path that nobody serves', 400, get(server, '/api/none', 'X-Original-URL: /admin')],
      ['HEAD', 400, raw(server, [`HEAD ${place} HTTP/1.1`, 'X-Original-URL: /a', 'Connection: close'])],
      ['OPTIONS', 400, raw(server, [`OPTIONS ${place} HTTP/1.1`, 'X-Original-URL: /a', 'Connection: close'])],
      ['an upgrade', 400, get(server, place, 'X-Original-URL: /a', ...webSocket.slice(1))],
      ['one header often', 431, get(server, place, ...Array.from({ length: 70 }, () => 'X-Many: 1'))],
      ['a large head', 431, get(server, place, `X-Large: ${'x'.repeat(9000)}`)],
      [
        'chunks',
        411,
        raw(
          server,
          [`POST ${place} HTTP/1.1`, 'Transfer-Encoding: chunked', 'Connection: close'],
          '0\r\n\r\n',
        ),
      ],
      [
        'a large body',
        413,
        raw(server, [`POST ${place} HTTP/1.1`, 'Content-Length: 10485761', 'Connection: close']),
      ],
      [
        'two lengths',
        400,
        raw(
          server,
          [`POST ${place} HTTP/1.1`, 'Content-Length: 1', 'Content-Length: 2', 'Connection: close'],
          'x',
        ),
      ],
      [
        'a type',
        415,
        raw(
          server,
          [
            'POST /api/v1/content/x HTTP/1.1',
            'Content-Type: text/plain',
            'Content-Length: 1',
            'Connection: close',
          ],
          'x',
        ),
      ],
    ]
    for (const [name, expected, answer] of attacks) {
      const { status, head, body } = await answer
      assert.equal(status, expected, `${name}: ${head} ${body}`)
      assert.doesNotMatch(body, /^(GET|POST|OPTIONS)$/, `${name} came to the route`)
    }
    assert.equal((await get(server, place)).body, 'GET')
    const posted = await raw(
      server,
      [`POST ${place} HTTP/1.1`, 'Content-Length: 2', 'Connection: close'],
      '{}',
    )
    assert.equal(posted.status, 200)
    const asked = await raw(server, [
      `OPTIONS ${place} HTTP/1.1`,
      'Origin: https://a.example',
      'Access-Control-Request-Method: POST',
      'Access-Control-Request-Headers: x-http-method-override',
      'Connection: close',
    ])
    assert.equal(asked.status, 204, 'a preflight goes on')
  })
})

describe('maintenance_mode', () => {
  const turn = (server: TestHost, state: Readonly<Record<string, unknown>>, status = 200) =>
    server
      .call('PUT', '/maintenance_mode/state', { headers: server.credentials, json: state })
      .then((answer) => assert.equal(answer.status, status, answer.text))

  it('closes everything but the administration, for a restart as well, opens it again, and lets everybody in where it does not start', async (t) => {
    const server = await startHost(t, { config, plugins: { ...app, ...filesOf('maintenance_mode') } })
    assert.equal((await get(server, place)).status, 200)
    await turn(server, { on: true, text: 'Back <soon>', retry_after: 77 })
    await server.restart()
    const closed: readonly (readonly [string, () => Promise<RawAnswer>])[] = [
      ['plain', () => get(server, place)],
      ['an encoded path', () => get(server, '/api/v1/plugins/%61pp/ok')],
      ['a path that begins like the switch', () => get(server, '/api/v1/plugins/maintenance_modes')],
      ['dots that lead out of the switch', () => get(server, '/api/v1/plugins/maintenance_mode/../app/ok')],
      ['a claimed address', () => get(server, place, 'X-Forwarded-For: 127.0.0.1')],
      ['HEAD', () => raw(server, [`HEAD ${place} HTTP/1.1`, 'Connection: close'])],
      ['OPTIONS that is no preflight', () => raw(server, [`OPTIONS ${place} HTTP/1.1`, 'Connection: close'])],
      ['an upgrade', () => get(server, place, ...webSocket.slice(1))],
    ]
    // One after the other: the plugin fails open, also where too many wait for it.
    for (const [name, ask] of closed) {
      const { status, head, body } = await ask()
      assert.ok(status === 503 || status === 400, `${name}: ${head}`)
      if (status === 503) assert.match(head, /retry-after: 77/, name)
      assert.doesNotMatch(body, /^(GET|OPTIONS)$/, `${name} came to the route`)
    }
    const elsewhere = await get(server, place, 'Origin: https://a.example')
    assert.match(
      elsewhere.head,
      /access-control-allow-origin: https:\/\/a\.example/,
      'its page can read the 503',
    )
    const page = await get(server, place, 'ACCEPT: text/html')
    assert.match(page.head, /content-type: text\/html/)
    assert.match(page.body, /Back &lt;soon&gt;/)
    const asked = await raw(server, [
      `OPTIONS ${place} HTTP/1.1`,
      'Origin: https://a.example',
      'Access-Control-Request-Method: GET',
      'Connection: close',
    ])
    assert.equal(asked.status, 204, 'a preflight goes on')
    assert.equal((await get(server, '/health')).status, 200)
    for (const path of ['/gateway/api/pipeline', '/api/gateway/pipeline', '/api/v1/admin/plugins']) {
      assert.equal((await server.send('GET', path, { headers: server.credentials })).status, 200, path)
    }
    await turn(server, { on: true, allow_ips: ['127.0.0.1'] })
    assert.equal((await get(server, place)).status, 200, 'who is listed comes in')
    await turn(server, { on: false, allow_ips: [] })
    assert.equal((await get(server, place)).status, 200)
    await turn(server, { on: true })
    assert.equal((await get(server, place)).status, 503)
    await server.write({ 'maintenance_mode/init.lua': 'this is no Lua' })
    await server.restart({ approve: false })
    assert.equal((await get(server, place)).status, 200)
  })
})

describe('tenant_rate_limit', () => {
  it('counts each tenant by its plan, whatever it writes', async (t) => {
    const server = await startHost(t, { config, plugins: { ...app, ...filesOf('tenant_rate_limit') } })
    const plan = (tenant: string, limit: number) =>
      server
        .call('PUT', `/tenant_rate_limit/plans/${tenant}`, {
          headers: server.credentials,
          json: { limit, window: '31d' },
        })
        .then((answer) => assert.equal(answer.status, 200, answer.text))
    await plan('acme', 8)
    await plan('other', 100)
    const senders: readonly (() => Promise<RawAnswer>)[] = [
      () => get(server, place, 'X-TENANT-ID: acme'),
      () => get(server, place, 'x-tenant-id: acme', 'X-Tenant-Id: other'),
      () => get(server, '/%61pi/v1/plugins/app/ok', 'X-Tenant-Id: acme'),
      () => raw(server, [`HEAD ${place} HTTP/1.1`, 'X-Tenant-Id: acme', 'Connection: close']),
      () => get(server, '/api/none', 'X-Tenant-Id: acme'),
      () => get(server, place, 'X-Tenant-Id: acme', ...webSocket.slice(1)),
      () => raw(server, [`OPTIONS ${place} HTTP/1.1`, 'X-Tenant-Id: acme', 'Connection: close']),
      () => get(server, '/api/v1/plugins/tenant_rate_limit/usage', 'X-Tenant-Id: acme'),
    ]
    for (const [at, send] of senders.entries()) {
      const { head } = await send()
      assert.match(head, new RegExp(`x-ratelimit-remaining: ${7 - at}\r`), `sender ${at}: ${head}`)
      assert.match(head, /x-ratelimit-limit: 8\r/)
    }
    for (const send of senders) {
      const { status, head } = await send()
      assert.equal(status, 429)
      assert.match(head, /retry-after: \d+/)
    }
    const asked = await raw(server, [
      `OPTIONS ${place} HTTP/1.1`,
      'X-Tenant-Id: acme',
      'Origin: https://a.example',
      'Access-Control-Request-Method: GET',
      'Connection: close',
    ])
    assert.equal(asked.status, 204, 'a preflight goes on')
    assert.doesNotMatch(asked.head, /x-ratelimit/)
    assert.equal((await get(server, place, 'X-Tenant-Id: other')).status, 200, 'tenants do not share')
    const burst = await Promise.all(Array.from({ length: 20 }, () => get(server, place, 'X-Tenant-Id: acme')))
    assert.deepEqual([...new Set(burst.map(({ status }) => status))], [429])
  })
})
