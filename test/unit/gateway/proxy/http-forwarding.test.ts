import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer } from 'node:net'
import { test } from 'node:test'
import type { Stage } from '../../../../src/gateway/stage.js'
import {
  ask,
  listen,
  type ProxyWorldOptions,
  portOf,
  sendRaw,
  startProxyWorld,
  startUpstream,
} from '../../../helpers/proxy-world.js'
import { selfSignedCertificate, serverKey } from '../../../helpers/tls-certificates.js'
import { until } from '../../../helpers/until.js'

const user = { id: '1', username: 'admin', role: 'admin' }

interface Echo {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

async function askEcho(port: number, path: string, options = {}): Promise<Echo> {
  const { status, body } = await ask(port, path, options)
  assert.equal(status, 200, body)
  return JSON.parse(body) as Echo
}

test('method, path, query and body reach the target, below its own path', async (t) => {
  const upstream = await startUpstream(t)
  const { port } = await startProxyWorld(t, {
    rules: [
      { pattern: '^/api(/.*)?$', target: `${upstream.url}/v1/`, rewrite: '$1' },
      { pattern: '^/as-is/', target: upstream.url },
    ],
  })
  const echo = await askEcho(port, '/api/a%20b%2Fc/%25x?q=%2F&q=2', { method: 'POST', body: 'hello' })
  assert.equal(echo.method, 'POST')
  assert.equal(echo.url, '/v1/a%20b%2Fc/%25x?q=%2F&q=2')
  assert.equal(echo.body, 'hello')
  assert.equal((await askEcho(port, '/api')).url, '/v1/')
  assert.equal((await askEcho(port, '/as-is/%41?x')).url, '/as-is/%41?x')
  assert.equal((await ask(port, '/own')).body, 'own')
})

test('a body that comes in chunks and one of a GET are passed on', async (t) => {
  const upstream = await startUpstream(t)
  const { port } = await startProxyWorld(t, { rules: [{ pattern: '.', target: upstream.url }] })
  const chunked = await askEcho(port, '/x', {
    method: 'PUT',
    headers: { 'transfer-encoding': 'chunked', 'content-type': 'application/json' },
    body: '{not json',
  })
  assert.equal(chunked.body, '{not json')
  const get = await askEcho(port, '/x', { headers: { 'content-length': '2' }, body: 'ab' })
  assert.equal(get.body, 'ab')
  assert.equal((await askEcho(port, '/x', { method: 'POST' })).body, '')
})

test('no path makes another server of the target', async (t) => {
  const upstream = await startUpstream(t)
  const evil = await startUpstream(t)
  const evilHost = evil.url.slice('http://'.length)
  const { port } = await startProxyWorld(t, {
    rules: [
      { pattern: '^/api(/.*)?$', target: upstream.url, rewrite: '$1', headers: { 'x-secret': 's' } },
      { pattern: '^/raw(.*)$', target: upstream.url, rewrite: '$1' },
      { pattern: '^//', target: upstream.url },
      { pattern: '^/dots/(.)(.)$', target: `${upstream.url}/inner`, rewrite: '/$1$2/x' },
    ],
  })
  for (const path of [
    `/api//${evilHost}/x`,
    `/api///${evilHost}/x`,
    `//${evilHost}/x`,
    `/api/\\${evilHost}/x`,
    `/api/%5c${evilHost}/x`,
    '/api/../x',
    '/api/%2e%2e/x',
    `http://${evilHost}/x`,
    '//%0d%0aX:%20y',
  ]) {
    assert.equal((await ask(port, path)).status, 400, path)
  }
  assert.equal((await askEcho(port, `/raw@${evilHost}/x`)).url, `/@${evilHost}/x`)
  assert.equal((await askEcho(port, `/raw/%2f%2f${evilHost}/x`)).url, `/%2f%2f${evilHost}/x`)
  assert.equal((await askEcho(port, `/raw.${evilHost}/x`)).url, `/.${evilHost}/x`)
  assert.equal(evil.requests.length, 0)
  assert.equal(upstream.requests.length, 3)
})

test('headers of a connection stay on it, in both directions', async (t) => {
  const upstream = await startUpstream(t, (asked, response) => {
    response.writeHead(200, {
      connection: 'close, x-inner',
      'x-inner': '1',
      'x-outer': '2',
      'keep-alive': 'timeout=1',
      'proxy-authenticate': 'Basic',
      'set-cookie': ['a=1', 'b=2'],
      'x-got': JSON.stringify(asked.headers),
    })
    response.end('ok')
  })
  const { port } = await startProxyWorld(t, { rules: [{ pattern: '.', target: upstream.url }] })
  const { headers } = await ask(port, '/', {
    headers: {
      connection: 'close, X-Auth',
      'x-auth': 'secret',
      te: 'trailers',
      'proxy-authorization': 'Basic x',
      'keep-alive': 'x',
      'x-identity': '{"sub":"admin"}',
      x_identity: '{"sub":"admin"}',
      'x-kept': 'yes',
      'if-none-match': '"a"',
    },
  })
  const got = JSON.parse(String(headers['x-got'])) as Record<string, string>
  for (const name of ['x-auth', 'te', 'proxy-authorization', 'keep-alive', 'x-identity', 'x_identity']) {
    assert.equal(got[name], undefined, name)
  }
  assert.equal(got['x-kept'], 'yes')
  assert.equal(got['if-none-match'], '"a"')
  assert.equal(headers['x-inner'], undefined)
  assert.equal(headers['proxy-authenticate'], undefined)
  assert.equal(headers['x-outer'], '2')
  assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2'])
})

test('the target hears of the client what only a trusted proxy may say', async (t) => {
  const upstream = await startUpstream(t)
  const rules = [{ pattern: '.', target: upstream.url }]
  const sent = {
    host: 'shop.example',
    'x-forwarded-for': '6.6.6.6, 203.0.113.9',
    'x-real-ip': '6.6.6.6',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'other.example',
    forwarded: 'for=6.6.6.6',
  }
  const direct = await startProxyWorld(t, { rules })
  const { headers: plain } = await askEcho(direct.port, '/', { headers: sent })
  assert.equal(plain['x-forwarded-for'], '127.0.0.1')
  assert.equal(plain['x-real-ip'], '127.0.0.1')
  assert.equal(plain['x-forwarded-proto'], 'http')
  assert.equal(plain['x-forwarded-host'], 'shop.example')
  assert.equal(plain.host, 'shop.example')
  assert.equal(plain.forwarded, undefined)
  const behind = await startProxyWorld(t, { rules, trustedProxies: ['127.0.0.0/8'] })
  const { headers: told } = await askEcho(behind.port, '/', { headers: sent })
  assert.equal(told['x-forwarded-for'], '6.6.6.6, 203.0.113.9, 127.0.0.1')
  assert.equal(told['x-real-ip'], '203.0.113.9')
  assert.equal(told['x-forwarded-proto'], 'https')
  assert.equal(told['x-forwarded-host'], 'other.example')
})

test('credentials for the host stay here, others are passed on', async (t) => {
  const upstream = await startUpstream(t)
  const { port } = await startProxyWorld(t, {
    rules: [{ pattern: '.', target: upstream.url }],
    userOf: (authorization) => (authorization === 'Bearer ours' ? user : undefined),
  })
  const cookie = 'a=1; modulacms_session=x; b=2'
  const own = await askEcho(port, '/', { headers: { authorization: 'Bearer ours', cookie } })
  assert.equal(own.headers.authorization, undefined)
  assert.equal(own.headers.cookie, 'a=1; b=2')
  const other = await askEcho(port, '/', { headers: { authorization: 'Bearer theirs', cookie } })
  assert.equal(other.headers.authorization, 'Bearer theirs')
  assert.equal(other.headers.cookie, 'a=1; b=2')
})

test('changeOrigin names the target, and headers of the rule come last', async (t) => {
  const upstream = await startUpstream(t)
  const headers = { 'X-Forwarded-For': 'hidden', Authorization: 'Basic rule', 'x-identity': 'rule' }
  const { port } = await startProxyWorld(t, {
    rules: [{ pattern: '.', target: upstream.url, changeOrigin: true, headers }],
  })
  const { headers: got } = await askEcho(port, '/', {
    headers: { origin: 'https://a.example', authorization: 'Bearer x' },
  })
  assert.equal(got.host, upstream.url.slice('http://'.length))
  assert.equal(got.origin, upstream.url)
  assert.equal(got['x-forwarded-for'], 'hidden')
  assert.equal(got.authorization, 'Basic rule')
  assert.equal(got['x-identity'], 'rule')
})

test('redirects, statuses and encoded bodies come to the client as they are', async (t) => {
  const upstream = await startUpstream(t, ({ url }, response) => {
    if (url === '/redirect') response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
    else if (url === '/gone') response.writeHead(410).end('gone')
    else if (url === '/cached') response.writeHead(304, { etag: '"x"' }).end()
    else response.writeHead(200, { 'content-encoding': 'x-test', 'content-length': '3' }).end('abc')
  })
  const { port } = await startProxyWorld(t, { rules: [{ pattern: '.', target: upstream.url }] })
  const redirect = await ask(port, '/redirect')
  assert.equal(redirect.status, 302)
  assert.equal(redirect.headers.location, 'http://127.0.0.1:1/')
  assert.equal((await ask(port, '/gone')).status, 410)
  const cached = await ask(port, '/cached')
  assert.equal(cached.status, 304)
  assert.equal(cached.headers.etag, '"x"')
  const encoded = await ask(port, '/encoded')
  assert.equal(encoded.headers['content-encoding'], 'x-test')
  assert.equal(encoded.headers['content-length'], '3')
  assert.equal(encoded.body, 'abc')
  const head = await ask(port, '/encoded', { method: 'HEAD' })
  assert.equal(head.headers['content-length'], '3')
  assert.equal(head.body, '')
})

test('other stages refuse proxied requests and see their answers', async (t) => {
  const upstream = await startUpstream(t)
  const limit: Stage = {
    name: 'limit',
    priority: 15,
    onRequest: ({ path }) => (path === '/no' ? { status: 429, headers: [], body: 'no' } : undefined),
    onAnswer: (_exchange, answer) => answer.setHeader('x-seen', String(answer.status)),
  }
  const { port } = await startProxyWorld(t, {
    rules: [{ pattern: '.', target: upstream.url }],
    stages: [limit],
  })
  const refused = await ask(port, '/no')
  assert.equal(refused.status, 429)
  assert.equal(upstream.requests.length, 0)
  assert.equal((await ask(port, '/yes')).headers['x-seen'], '200')
})

test('a target that fails or is late tells the client nothing of itself', async (t) => {
  const silent = createServer(() => undefined)
  await listen(t, silent)
  const closed = createServer()
  await listen(t, closed)
  const closedPort = portOf(closed)
  await new Promise((done) => closed.close(done))
  const { port, log } = await startProxyWorld(t, {
    rules: [
      { pattern: '^/silent', target: `http://127.0.0.1:${portOf(silent)}` },
      { pattern: '^/closed', target: `http://127.0.0.1:${closedPort}` },
      { pattern: '^/unknown', target: 'http://does-not-exist.invalid' },
    ],
    headersMs: 100,
  })
  const late = await ask(port, '/silent')
  assert.equal(late.status, 504)
  assert.equal(JSON.parse(late.body).code, 'GATEWAY_TIMEOUT')
  for (const path of ['/closed', '/unknown']) {
    const failed = await ask(port, path)
    assert.equal(failed.status, 502)
    const { error, code, ...rest } = JSON.parse(failed.body)
    assert.equal(code, 'BAD_GATEWAY')
    assert.doesNotMatch(error, /127\.0\.0\.1|invalid|ECONN|ENOTFOUND/)
    assert.deepEqual(rest, {})
  }
  assert.ok(log.lines.some(({ fields }) => JSON.stringify(fields).includes('ECONNREFUSED')))
})

test('answers that break the protocol become 502', async (t) => {
  const heads: Record<string, string> = {
    '/many': `HTTP/1.1 200 OK\r\n${'x-a: 1\r\n'.repeat(60)}${Array.from({ length: 60 }, (_, i) => `x-${i}: 1\r\n`).join('')}`,
    '/huge': `HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(100_000)}\r\n`,
    '/99': 'HTTP/1.1 099 Odd\r\n',
    '/600': 'HTTP/1.1 600 Odd\r\n',
    '/1000': 'HTTP/1.1 1000 Odd\r\n',
    '/control': 'HTTP/1.1 200 OK\r\nx-a: b\x01c\r\n',
    '/junk': 'junk\r\n',
    '/both': 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n',
    '/switch': 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n',
  }
  const server = createServer((socket) => {
    socket.once('data', (chunk: Buffer) => {
      const path = chunk.toString('latin1').split(' ')[1] ?? ''
      socket.end(`${heads[path]}\r\n`, 'latin1')
    })
  })
  await listen(t, server)
  const { port } = await startProxyWorld(t, {
    rules: [{ pattern: '.', target: `http://127.0.0.1:${portOf(server)}` }],
  })
  for (const path of Object.keys(heads)) {
    const { status, headers } = await ask(port, path)
    assert.equal(status, 502, path)
    assert.equal(headers['x-a'], undefined)
  }
})

test('a certificate is checked unless the rule says otherwise', async (t) => {
  const server = createHttpsServer({ key: serverKey, cert: selfSignedCertificate }, (_, response) => {
    response.end('secret')
  })
  await listen(t, server)
  const target = `https://127.0.0.1:${portOf(server)}`
  const { port } = await startProxyWorld(t, {
    rules: [
      { pattern: '^/any', target, secure: false },
      { pattern: '^/checked', target },
    ],
  })
  assert.equal((await ask(port, '/any')).body, 'secret')
  assert.equal((await ask(port, '/checked')).status, 502)
  assert.equal((await ask(port, '/any')).body, 'secret')
})

test('a client that leaves ends the request to the target, before and during the answer', async (t) => {
  const upstream = await startUpstream(t, ({ url }, response) => {
    if (url === '/stream') response.write('first')
  })
  const { port } = await startProxyWorld(t, { rules: [{ pattern: '.', target: upstream.url }] })
  for (const path of ['/wait', '/stream']) {
    const asked = request({ host: '127.0.0.1', port, path, agent: false })
    asked.on('error', () => undefined)
    asked.on('response', (answer) => answer.on('error', () => undefined))
    const answered = path === '/stream' ? once(asked, 'response') : undefined
    asked.end()
    const seen = await until('the target is asked', () => upstream.requests.find(({ url }) => url === path))
    await answered
    asked.destroy()
    await until('the connection to the target ends', () => seen.socket.destroyed)
  }
})

test('a request with a body that nobody reads learns of the failure, and its rest is no request', {
  timeout: 20_000,
}, async (t) => {
  const closed = createServer()
  await listen(t, closed)
  const target = `http://127.0.0.1:${portOf(closed)}`
  await new Promise((done) => closed.close(done))
  const upstream = await startUpstream(t, (asked, response) => {
    asked.once('data', () => response.socket?.end('HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n'))
  })
  const { port } = await startProxyWorld(t, {
    rules: [
      { pattern: '^/closed', target },
      { pattern: '.', target: upstream.url },
    ],
  })
  for (const path of ['/closed', '/broken']) {
    const rest = 'GET /inner HTTP/1.1\r\nHost: x\r\n\r\n'
    const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n`
    const got = await sendRaw(port, `${head}${rest}`)
    assert.match(got, /^HTTP\/1\.1 502 [\s\S]*connection: close/i, path)
    assert.equal(got.split('HTTP/1.1').length, 2, got)
  }
  assert.equal(
    upstream.requests.some(({ url }) => url === '/inner'),
    false,
  )
})

/** Answers of a target that come in one piece, and what of them comes to the client. */
const shapes: Readonly<
  Record<string, { readonly head: string; readonly length?: string; readonly type?: string }>
> = {
  'GET sized': { head: 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc', length: '3' },
  'GET chunked': {
    head: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n',
    length: '3',
  },
  'GET typed': {
    head: 'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 3\r\n\r\nabc',
    length: '3',
    type: 'text/html',
  },
  'GET empty': { head: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', length: '0' },
  'GET hinted': {
    head: 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc',
    length: '3',
  },
  'HEAD sized': { head: 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n', length: '3' },
  'HEAD without a length': { head: 'HTTP/1.1 200 OK\r\n\r\n' },
  'GET 204': { head: 'HTTP/1.1 204 No Content\r\ncontent-length: 3\r\n\r\n' },
  'GET 204 with a type': {
    head: 'HTTP/1.1 204 No Content\r\ncontent-length: 0\r\ncontent-type: text/plain\r\n\r\n',
  },
  'GET 304': { head: 'HTTP/1.1 304 Not Modified\r\n\r\n' },
}

test('an answer that comes in one piece has its own head, and is a stream for stages', async (t) => {
  const seen: unknown[] = []
  const witness: Stage = {
    name: 'witness',
    priority: 15,
    onAnswer: (_exchange, answer) => {
      seen.push(answer.body)
    },
  }
  const server = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      const name = decodeURIComponent(chunk.toString('latin1').split(' ')[1]?.slice(1) ?? '')
      socket.write(shapes[name]?.head ?? '')
    })
  })
  await listen(t, server)
  const { port } = await startProxyWorld(t, {
    rules: [{ pattern: '.', target: `http://127.0.0.1:${portOf(server)}` }],
    stages: [witness],
  })
  for (const [name, { head, length, type }] of Object.entries(shapes)) {
    const [method = ''] = name.split(' ')
    const got = await ask(port, `/${encodeURIComponent(name)}`, { method })
    assert.equal(got.body, length === '3' && method === 'GET' ? 'abc' : '', name)
    assert.equal(got.headers['content-length'], length, name)
    assert.equal(got.headers['content-type'], type, name)
    assert.equal(got.headers.link, undefined, name)
    assert.ok(head.includes(` ${got.status} `), name)
  }
  // What stages see does not depend on how fast a target is.
  assert.deepEqual(
    seen,
    Object.keys(shapes).map(() => undefined),
  )
})

test('a stage that takes its time, or another body, loses no connection and no byte', async (t) => {
  const upstream = await startUpstream(t, ({ url }, response) => {
    if (url === '/whole') response.end('whole')
    else if (url === '/parts') {
      response.write('pa')
      setTimeout(() => response.end('rts'), 20)
    } else if (url === '/cut') {
      response.writeHead(200, { 'content-length': '10' }).write('12')
      setTimeout(() => response.socket?.destroy(), 20)
    } else response.writeHead(200, { 'content-length': '100000000' }).write('endless')
  })
  const slow: Stage = {
    name: 'slow',
    priority: 15,
    onAnswer: async ({ path }, answer) => {
      await new Promise((done) => setTimeout(done, 100))
      if (path === '/replaced') answer.replaceBody('other')
    },
  }
  const { port } = await startProxyWorld(t, {
    rules: [{ pattern: '.', target: upstream.url }],
    stages: [slow],
  })
  assert.equal((await ask(port, '/whole')).body, 'whole')
  assert.equal((await ask(port, '/parts')).body, 'parts')
  // The target has failed before anybody has listened to it.
  const cut = await ask(port, '/cut').catch(() => undefined)
  assert.ok(cut === undefined || cut.status >= 500)
  assert.equal((await ask(port, '/replaced')).body, 'other')
  const replaced = upstream.requests.find(({ url }) => url === '/replaced')
  await until('nobody waits for the rest', () => replaced?.socket.destroyed)
})

test('a target is not read faster than the client reads', async (t) => {
  const size = 64 * 1024 * 1024
  let written = 0
  const upstream = await startUpstream(t, (_, response) => {
    const chunk = Buffer.alloc(64 * 1024)
    const more = (): void => {
      while (written < size) {
        written += chunk.length
        if (!response.write(chunk)) {
          response.once('drain', more)
          return
        }
      }
      response.end()
    }
    more()
  })
  const { port } = await startProxyWorld(t, { rules: [{ pattern: '.', target: upstream.url }] })
  const asked = request({ host: '127.0.0.1', port, path: '/', agent: false })
  asked.end()
  const [answer] = await once(asked, 'response')
  answer.pause()
  let before = -1
  await until('the target has to wait', async () => {
    const isStill = before === written
    before = written
    await new Promise((done) => setTimeout(done, 100))
    return isStill
  })
  assert.ok(written < size)
  let received = 0
  for await (const chunk of answer) received += chunk.length
  assert.equal(received, size)
})

test('an answer that stops in the middle is cut off, not completed', async (t) => {
  const upstream = await startUpstream(t, (_, response) => {
    response.writeHead(200, { 'content-length': '10' })
    response.write('12345')
  })
  const options: ProxyWorldOptions = { rules: [{ pattern: '.', target: upstream.url }], bodyIdleMs: 100 }
  const { port } = await startProxyWorld(t, options)
  await assert.rejects(ask(port, '/'), { code: 'ECONNRESET' })
})

test('a rule that leads back is found out', async (t) => {
  const { port, proxy } = await startProxyWorld(t)
  await proxy.rules.add({ pattern: '^/loop', target: `http://127.0.0.1:${port}` })
  assert.equal((await ask(port, '/loop')).status, 508)
})

test('two requests in one body are one request', async (t) => {
  const upstream = await startUpstream(t)
  const { port } = await startProxyWorld(t, { rules: [{ pattern: '.', target: upstream.url }] })
  const inner = 'GET /inner HTTP/1.1\r\nHost: x\r\n\r\n'
  for (const lengths of [
    `Content-Length: ${inner.length}\r\nTransfer-Encoding: chunked\r\n`,
    'Content-Length: 1\r\nContent-Length: 2\r\n',
    'Transfer-Encoding: xchunked\r\n',
    'Content-Length: +3\r\n',
  ]) {
    const raw = `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lengths}\r\n${inner}`
    assert.match(await sendRaw(port, raw), /^HTTP\/1\.1 (?:400|501) /, lengths)
  }
  assert.equal(
    upstream.requests.some(({ url }) => url === '/inner'),
    false,
  )
})

test('a name that leads out of the allowed blocks is not connected to', async (t) => {
  const upstream = await startUpstream(t)
  const target = upstream.url.replace('127.0.0.1', 'localhost')
  const rules = [{ pattern: '.', target }]
  const outside = await startProxyWorld(t, { rules, allowTargets: ['10.0.0.0/8'] })
  assert.equal((await ask(outside.port, '/')).status, 502)
  assert.equal(upstream.requests.length, 0)
  const inside = await startProxyWorld(t, { rules, allowTargets: ['127.0.0.0/8'] })
  assert.equal((await ask(inside.port, '/')).status, 200)
})

test('no rule takes a reserved path, and the first enabled one takes the others', async (t) => {
  const upstream = await startUpstream(t)
  const { port } = await startProxyWorld(t, {
    rules: [
      { pattern: '.', target: 'http://127.0.0.1:1', enabled: false },
      { pattern: '.', target: upstream.url, headers: { 'x-rule': 'first' } },
      { pattern: '.', target: 'http://127.0.0.1:1' },
    ],
    isReserved: (path) => path === '/own',
  })
  assert.equal((await ask(port, '/own')).body, 'own')
  assert.equal((await ask(port, '/%6fwn')).body, 'own')
  assert.equal((await askEcho(port, '/x')).headers['x-rule'], 'first')
})
