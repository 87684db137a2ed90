import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { outboundLimits } from '../../../src/base/limits.js'
import type { OutboundFailure } from '../../../src/outbound/failures.js'
import { OutboundClient, type OutboundClientOptions } from '../../../src/outbound/outbound-client.js'
import type { OutboundRequest, OutboundResponse } from '../../../src/outbound/outbound-sender.js'
import { readOutboundUrl } from '../../../src/outbound/outbound-url.js'
import { RequestHeaders } from '../../../src/outbound/request-headers.js'
import {
  authority,
  expiredCertificate,
  selfSignedCertificate,
  trustedCertificate,
} from '../../helpers/tls-certificates.js'
import { until } from '../../helpers/until.js'
import { bodyOf, startRawServer, startTlsServer, startWebServer } from '../../helpers/web-server.js'

const bodyMax = 10_000

function createClient(test: TestContext, options: Partial<OutboundClientOptions> = {}): OutboundClient {
  const client = new OutboundClient({
    allowLocal: true,
    responseBytesMax: bodyMax,
    resolve: async () => assert.fail('nothing is to be looked up'),
    ...options,
  })
  test.after(() => client.close())
  return client
}

function requestTo(
  url: string,
  more: Partial<OutboundRequest> & { readonly given?: Readonly<Record<string, string>> } = {},
): OutboundRequest {
  const read = readOutboundUrl(url)
  assert.ok(read.ok, url)
  const composed = RequestHeaders.compose({
    given: Object.entries(more.given ?? {}),
    defaults: {},
    forced: {},
  })
  assert.ok(composed.ok)
  const { target } = read
  const { headers } = composed
  return { plugin: 'p', method: 'GET', target, headers, body: undefined, timeoutMs: 10_000, ...more }
}

async function succeed(client: OutboundClient, request: OutboundRequest): Promise<OutboundResponse> {
  const result = await client.send(request)
  assert.ok(result.ok, result.ok ? '' : result.failure.message)
  return result.response
}

async function fail(client: OutboundClient, request: OutboundRequest): Promise<OutboundFailure> {
  const result = await client.send(request)
  assert.ok(!result.ok, 'the request succeeded')
  return result.failure
}

const textOf = (response: OutboundResponse) => Buffer.from(response.body).toString()

describe('the outbound client', () => {
  it('sends method, path, headers and body as they are, and gives what came back', async (t) => {
    const server = await startWebServer(t, async (request, response) => {
      const body = await bodyOf(request)
      response.setHeader('X-Twice', ['1', '2'])
      response.setHeader('__proto__', 'x')
      response.writeHead(201)
      response.end(
        JSON.stringify({
          ...request.headers,
          method: request.method,
          url: request.url,
          body: body.toString('hex'),
        }),
      )
    })
    const client = createClient(t)
    const body = Uint8Array.from([0, 255, 10])
    const response = await succeed(
      client,
      requestTo(`${server.url}/a%20b?c=d`, {
        method: 'PATCH',
        body,
        given: { 'X-A': 'v', Host: 'evil.example' },
      }),
    )
    const seen = JSON.parse(textOf(response))
    assert.equal(response.status, 201)
    assert.equal(response.headers['x-twice'], '1')
    assert.equal(Object.getPrototypeOf(response.headers), null)
    assert.equal(seen.method, 'PATCH')
    assert.equal(seen.url, '/a%20b?c=d')
    assert.equal(seen.body, '00ff0a')
    assert.equal(seen['x-a'], 'v')
    assert.equal(seen.host, `127.0.0.1:${server.port}`)
    assert.equal(seen['content-length'], '3')
    assert.equal(seen['accept-encoding'], 'identity')
    assert.equal(client.inFlight, 0)
  })

  it('makes a connection for each request and leaves none open', async (t) => {
    const server = await startWebServer(t, (_request, response) => response.end('x'))
    const client = createClient(t)
    for (let count = 0; count < 3; count += 1) await succeed(client, requestTo(server.url))
    assert.equal(server.connections(), 3)
  })

  it('answers a redirect to its caller and follows none', async (t) => {
    let requests = 0
    const server = await startWebServer(t, (_request, response) => {
      requests += 1
      response.writeHead(302, { location: 'http://169.254.169.254/' })
      response.end()
    })
    const client = createClient(t)
    for (let count = 1; count <= 20; count += 1) {
      const response = await succeed(client, requestTo(server.url))
      assert.equal(response.status, 302)
      assert.equal(response.headers.location, 'http://169.254.169.254/')
      assert.equal(requests, count)
    }
  })

  it('does not look at the proxies of the environment', async (t) => {
    const server = await startWebServer(t, (_request, response) => response.end('direct'))
    const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY', 'NODE_USE_ENV_PROXY']
    for (const name of names) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : 'http://127.0.0.1:1'
    t.after(() => {
      for (const name of names) delete process.env[name]
    })
    assert.equal(textOf(await succeed(createClient(t), requestTo(server.url))), 'direct')
  })

  it('gives the final response, not what is said before it', async (t) => {
    const server = await startRawServer(t, (socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(3))
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx')
    })
    const response = await succeed(createClient(t), requestTo(server.url))
    assert.deepEqual(
      [response.status, { ...response.headers }, textOf(response)],
      [200, { 'content-length': '1' }, 'x'],
    )
  })

  it('answers HEAD and empty responses without a body', async (t) => {
    const server = await startWebServer(t, (request, response) => {
      response.writeHead(request.url === '/none' ? 204 : 200, {
        'content-length': request.url === '/none' ? 0 : 999_999,
      })
      response.end()
    })
    const client = createClient(t)
    const head = await succeed(client, requestTo(server.url, { method: 'HEAD' }))
    assert.equal(head.body.length, 0)
    assert.equal(head.headers['content-length'], '999999')
    assert.equal((await succeed(client, requestTo(`${server.url}/none`))).status, 204)
  })
})

describe('the addresses of the outbound client', () => {
  it('are checked when the name is looked up: one bad address refuses all', async (t) => {
    for (const addresses of [
      ['10.0.0.1'],
      ['93.184.216.34', '169.254.169.254'],
      ['2606:4700::1', '::ffff:127.0.0.1'],
    ]) {
      const client = createClient(t, { resolve: async () => addresses, allowLocal: false })
      const failure = await fail(client, requestTo('https://rebind.example/'))
      assert.equal(failure.kind, 'address_blocked')
      assert.match(failure.message, /rebind\.example has a private or reserved address, which is blocked/)
      for (const address of addresses) assert.ok(!failure.message.includes(address))
    }
  })

  it('are those that are connected to: an answer that changes afterwards changes nothing', async (t) => {
    const server = await startTlsServer(t, trustedCertificate, (_request, response) =>
      response.end('checked'),
    )
    let lookups = 0
    const resolve = async () => {
      lookups += 1
      return lookups % 2 === 1 ? ['127.0.0.1'] : ['169.254.169.254']
    }
    const client = createClient(t, { resolve, certificates: authority })
    const url = `https://server.test:${server.port}/`
    assert.equal(textOf(await succeed(client, requestTo(url))), 'checked')
    assert.equal(lookups, 1)
    assert.equal((await fail(client, requestTo(url))).kind, 'address_blocked')
    assert.equal(lookups, 2)
    assert.equal(server.connections(), 1)
  })

  it('are tried one after the other', async (t) => {
    const server = await startTlsServer(t, trustedCertificate, (_request, response) => response.end('third'))
    const url = `https://server.test:${server.port}/`
    const tried = createClient(t, {
      resolve: async () => ['127.0.0.2', '::1', '127.0.0.1'],
      certificates: authority,
    })
    assert.equal(textOf(await succeed(tried, requestTo(url))), 'third')
    const inVain = createClient(t, { resolve: async () => ['127.0.0.2', '127.0.0.3'] })
    assert.equal((await fail(inVain, requestTo(url))).kind, 'refused')
  })

  it('are blocked as literals too, and loopback is where the configuration does not allow it', async (t) => {
    const server = await startWebServer(t, (_request, response) => response.end('x'))
    const client = createClient(t, { allowLocal: false })
    for (const url of [
      server.url,
      `http://2130706433:${server.port}`,
      `http://[::ffff:7f00:1]:${server.port}`,
      'https://169.254.169.254',
    ])
      assert.equal((await fail(client, requestTo(url))).kind, 'address_blocked', url)
    assert.equal((await fail(createClient(t), requestTo('https://10.0.0.1/'))).kind, 'address_blocked')
    assert.equal(server.connections(), 0)
  })

  it('come from DNS: no answer is a failure of its own', async (t) => {
    const client = createClient(t, { resolve: async () => [] })
    const failure = await fail(client, requestTo('https://nowhere.example/'))
    assert.deepEqual(failure, { kind: 'dns', message: 'nowhere.example could not be found: DNS failure' })
  })

  it('are looked up within the time of the request', async (t) => {
    const client = createClient(t, { resolve: () => new Promise(() => undefined) })
    const failure = await fail(client, requestTo('https://slow.example/', { timeoutMs: 50 }))
    assert.equal(failure.kind, 'timeout')
  })
})

describe('TLS of the outbound client', () => {
  const cases = [
    ['a self-signed certificate', selfSignedCertificate, 'server.test', /TLS failure/],
    ['an expired certificate', expiredCertificate, 'server.test', /TLS failure \(CERT_HAS_EXPIRED\)/],
    [
      'a certificate for another name',
      trustedCertificate,
      'other.test',
      /TLS failure \(ERR_TLS_CERT_ALTNAME_INVALID\)/,
    ],
  ] as const
  for (const [name, certificate, host, message] of cases) {
    it(`refuses ${name}, also where the environment says otherwise`, async (t) => {
      let requests = 0
      const server = await startTlsServer(t, certificate, (_request, response) => {
        requests += 1
        response.end('x')
      })
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
      t.after(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED)
      const client = createClient(t, { certificates: authority, resolve: async () => ['127.0.0.1'] })
      const failure = await fail(client, requestTo(`https://${host}:${server.port}/`))
      assert.equal(failure.kind, 'tls')
      assert.match(failure.message, message)
      assert.equal(requests, 0)
    })
  }

  it('takes a certificate for the name, and for an address', async (t) => {
    const names: unknown[] = []
    const server = await startTlsServer(t, trustedCertificate, (request, response) => {
      names.push((request.socket as { servername?: unknown }).servername)
      response.end('x')
    })
    const client = createClient(t, { certificates: authority, resolve: async () => ['127.0.0.1'] })
    await succeed(client, requestTo(`https://server.test:${server.port}/`))
    await succeed(client, requestTo(`https://127.0.0.1:${server.port}/`))
    assert.deepEqual(names, ['server.test', false])
  })

  it('is not spoken to a server without it', async (t) => {
    const server = await startWebServer(t, (_request, response) => response.end('x'))
    const failure = await fail(createClient(t), requestTo(`https://127.0.0.1:${server.port}/`))
    assert.equal(failure.kind, 'tls')
  })
})

describe('the limits of the outbound client', () => {
  it('end a response that says it is too large, and one that is', async (t) => {
    const server = await startWebServer(t, (request, response) => {
      if (request.url === '/said') response.writeHead(200, { 'content-length': bodyMax + 1 })
      if (request.url === '/fits') response.end('x'.repeat(bodyMax))
      else {
        const write = (): boolean => response.write('x'.repeat(1000))
        response.on('drain', write)
        const timer = setInterval(write, 1)
        response.on('close', () => clearInterval(timer))
      }
    })
    const client = createClient(t)
    assert.equal((await succeed(client, requestTo(`${server.url}/fits`))).body.length, bodyMax)
    for (const path of ['/said', '/endless']) {
      const failure = await fail(client, requestTo(server.url + path))
      assert.deepEqual(failure, {
        kind: 'response_too_large',
        message: `response body too large: 127.0.0.1 sent more than the limit of ${bodyMax} bytes`,
      })
    }
  })

  it('decode what is compressed, up to the same size', async (t) => {
    const zeros = Buffer.alloc(50_000_000)
    const bodies: Readonly<Record<string, readonly [string, Buffer]>> = {
      '/gzip': ['gzip', gzipSync('hello')],
      '/br': ['BR', brotliCompressSync('hello')],
      '/bomb': ['gzip', gzipSync(zeros.subarray(0, 5_000_000))],
      '/brotli-bomb': ['br', brotliCompressSync(zeros)],
      '/broken': ['gzip', Buffer.from('no gzip')],
      '/cut': ['gzip', gzipSync('hello').subarray(0, 12)],
      '/layers': ['gzip, gzip', gzipSync(gzipSync('hello'))],
      '/unknown': ['__proto__', Buffer.from('x')],
    }
    const server = await startWebServer(t, (request, response) => {
      const [encoding, body] = bodies[request.url ?? ''] ?? ['', '']
      response.writeHead(200, { 'content-encoding': encoding })
      response.end(body)
    })
    const client = createClient(t)
    for (const path of ['/gzip', '/br'])
      assert.equal(textOf(await succeed(client, requestTo(server.url + path))), 'hello')
    for (const path of ['/bomb', '/brotli-bomb'])
      assert.equal((await fail(client, requestTo(server.url + path))).kind, 'response_too_large')
    for (const path of ['/broken', '/cut', '/layers', '/unknown'])
      assert.equal((await fail(client, requestTo(server.url + path))).kind, 'response_unreadable', path)
  })

  it('end a body that comes byte by byte', async (t) => {
    const { responsePiecesMax } = outboundLimits
    const server = await startRawServer(t, (socket, received) => {
      const pieces = received.startsWith('GET /fits') ? responsePiecesMax : responsePiecesMax + 1
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
      socket.end(`${'1\r\nx\r\n'.repeat(pieces)}0\r\n\r\n`)
    })
    const client = createClient(t, { responseBytesMax: 1024 * 1024 })
    assert.equal((await succeed(client, requestTo(`${server.url}/fits`))).body.length, responsePiecesMax)
    const failure = await fail(client, requestTo(server.url))
    assert.deepEqual(failure, {
      kind: 'response_unreadable',
      message: '127.0.0.1 sent a response that cannot be read: its body comes in too many pieces',
    })
  })

  it('end a server that drips, in the headers and in the body', async (t) => {
    const server = await startRawServer(t, (socket, received) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      if (received.startsWith('GET /body')) socket.write('content-length: 9999\r\n\r\n')
      const timer = setInterval(() => socket.write('x'), 5)
      socket.on('close', () => clearInterval(timer))
    })
    const client = createClient(t)
    for (const path of ['/headers', '/body']) {
      const failure = await fail(client, requestTo(server.url + path, { timeoutMs: 200 }))
      assert.deepEqual(failure, { kind: 'timeout', message: 'request timed out after 0.2s' })
    }
    assert.equal(client.inFlight, 0)
  })

  it('end a server that takes the request too slowly', async (t) => {
    const server = await startRawServer(t, (socket) => void socket.pause())
    const body = new Uint8Array(20_000_000)
    const failure = await fail(
      createClient(t),
      requestTo(server.url, { method: 'PUT', body, timeoutMs: 200 }),
    )
    assert.equal(failure.kind, 'timeout')
  })

  it('end headers without end, and what is no HTTP', async (t) => {
    const answers: Readonly<Record<string, string>> = {
      '/headers': `HTTP/1.1 200 OK\r\n${'x-a: 123456789\r\n'.repeat(2000)}\r\n`,
      '/header': `HTTP/1.1 200 OK\r\nx-a: ${'x'.repeat(20_000)}\r\n\r\n`,
      '/garbage': 'SSH-2.0-OpenSSH_9.6\r\n',
      '/both': 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      '/chunks': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      '/short': 'HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nabc',
      '/nothing': '',
      '/upgrade': 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    }
    const server = await startRawServer(t, (socket, received) =>
      socket.end(answers[received.split(' ')[1] ?? ''] ?? '', 'latin1'),
    )
    const client = createClient(t)
    for (const path of ['/headers', '/header'])
      assert.equal((await fail(client, requestTo(server.url + path))).kind, 'response_too_large', path)
    for (const path of ['/garbage', '/both', '/chunks', '/short', '/nothing', '/upgrade']) {
      const { kind } = await fail(client, requestTo(server.url + path))
      assert.ok(kind === 'response_unreadable' || kind === 'transport', `${path} ${kind}`)
    }
    assert.equal(client.inFlight, 0)
  })

  it('name a connection that is refused', async (t) => {
    const server = await startWebServer(t, () => undefined)
    const { port } = server
    const client = createClient(t)
    const closed = await startRawServer(t, () => undefined)
    assert.notEqual(closed.port, port)
    const failure = await fail(client, requestTo('http://127.0.0.1:1/'))
    assert.deepEqual(failure, {
      kind: 'refused',
      message: '127.0.0.1 did not take the connection: connection refused',
    })
  })

  it('count requests at once, of one plugin and of all', async (t) => {
    const waiting: (() => void)[] = []
    const server = await startWebServer(t, (_request, response) => void waiting.push(() => response.end('x')))
    const client = createClient(t)
    const { concurrentPerPluginMax, concurrentMax } = outboundLimits
    const sent: Promise<unknown>[] = []
    for (let count = 0; count < concurrentMax; count += 1) {
      sent.push(
        succeed(client, requestTo(server.url, { plugin: `p${Math.floor(count / concurrentPerPluginMax)}` })),
      )
    }
    const own = await fail(client, requestTo(server.url, { plugin: 'p0' }))
    assert.equal(own.kind, 'busy')
    assert.match(own.message, /a plugin may have 6/)
    assert.match(
      (await fail(client, requestTo(server.url, { plugin: 'other' }))).message,
      /all plugins may have 64/,
    )
    await until('all requests have arrived', () => waiting.length === concurrentMax)
    for (const answer of waiting) answer()
    await Promise.all(sent)
    assert.equal(client.inFlight, 0)
    const again = succeed(client, requestTo(server.url, { plugin: 'p0' }))
    await until('it has arrived', () => waiting.length === concurrentMax + 1)
    waiting.at(-1)?.()
    await again
  })

  it('cancel what is being sent when the client is closed, and refuse what comes later', async (t) => {
    const server = await startWebServer(t, () => undefined)
    const client = createClient(t)
    const sent = [fail(client, requestTo(server.url)), fail(client, requestTo(server.url))]
    await until('they are connected', () => server.connections() === 2)
    client.close()
    for (const failure of await Promise.all(sent)) {
      assert.equal(failure.kind, 'canceled')
      assert.match(failure.message, /canceled/)
    }
    assert.equal((await fail(client, requestTo(server.url))).kind, 'canceled')
    assert.equal(client.inFlight, 0)
  })
})
