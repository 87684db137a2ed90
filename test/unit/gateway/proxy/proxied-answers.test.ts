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
