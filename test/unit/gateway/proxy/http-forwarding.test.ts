import assert from 'node:assert/strict'
import { test } from 'node:test'
import { userWithRole } from '../../../helpers/area-user.js'
import { ask, sendRaw, startProxyWorld, startUpstream } from '../../../helpers/proxy-world.js'

const user = userWithRole('admin', 'admin')

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
  // Where a path is public, nobody has looked whose it is.
  const key = await askEcho(port, '/', { headers: { authorization: 'bearer  mk_abc_def' } })
  assert.equal(key.headers.authorization, undefined)
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
