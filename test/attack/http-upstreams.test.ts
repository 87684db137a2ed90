import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { startAttackedHost } from '../helpers/attacked-host.js'
import { rawRequest, valuesOf } from '../helpers/raw-http.js'

const host = 'Host: host.example'
const ok = (headers: readonly string[], body = 'x'): string =>
  `${['HTTP/1.1 200 OK', ...headers].join('\r\n')}\r\n\r\n${body}`
const sized = (headers: readonly string[], body = 'x'): string =>
  ok([...headers, `Content-Length: ${body.length}`], body)

/** Answers of which nothing may come to a client, nor stay in the cache. */
const unusable: Readonly<Record<string, string>> = {
  'a hundred thousand headers': sized(Array.from({ length: 1e5 }, (_, at) => `X-${at}: v`)),
  'more headers than are taken': sized(Array.from({ length: 101 }, (_, at) => `X-${at}: v`)),
  'a header of a megabyte': sized([`X: ${'a'.repeat(1024 * 1024)}`]),
  'status 99': 'HTTP/1.1 99 Low\r\nContent-Length: 1\r\n\r\nx',
  'status 1000': 'HTTP/1.1 1000 High\r\nContent-Length: 1\r\n\r\nx',
  'status 600': 'HTTP/1.1 600 High\r\nContent-Length: 1\r\n\r\nx',
  'no status': 'HTTP/1.1 OK\r\nContent-Length: 1\r\n\r\nx',
  'a negative status': 'HTTP/1.1 -20 OK\r\nContent-Length: 1\r\n\r\nx',
  'a reason with a line end': 'HTTP/1.1 200 O\nSet-Cookie: admin=1\r\nContent-Length: 1\r\n\r\nx',
  'two lengths': ok(['Content-Length: 1', 'Content-Length: 5'], 'x'),
  'both lengths': ok(['Content-Length: 1', 'Transfer-Encoding: chunked'], '1\r\nx\r\n0\r\n\r\n'),
  'a negative length': ok(['Content-Length: -1']),
  'a list of lengths': ok(['Content-Length: 1, 5']),
  'NUL in a header': sized(['X: a\0b']),
  'a CR alone in a header': sized(['X: a\rSet-Cookie: admin=1']),
  'a space before a colon': sized(['Transfer-Encoding : chunked']),
  'a switch of protocols':
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'no HTTP': 'SSH-2.0-OpenSSH_9.6\r\n\r\n',
  nothing: '',
}

test('servers behind that lie', { timeout: 180_000 }, async (t) => {
  const attacked = await startAttackedHost(t)
  const { ask, upstream } = attacked
  let count = 0
  /** Gives the path of an answer by the server behind, after which it ends the connection when it should. */
  const place = (answer: string, ends = true): string => {
    count += 1
    const name = `answer-${count}.`
    upstream.answer(name, (socket) => {
      const bytes = Buffer.from(answer, 'latin1')
      if (ends) socket.end(bytes)
      else socket.write(bytes)
    })
    return `/up/${name}`
  }

  for (const [name, answer] of Object.entries(unusable)) {
    await t.test(`${name}: the client gets 502 and nothing of it`, async () => {
      const path = place(answer)
      for (let times = 1; times <= 2; times += 1) {
        const got = await ask(`GET ${path}`)
        assert.equal(got.status, 502, JSON.stringify(got).slice(0, 500))
        assert.deepEqual(valuesOf(got, 'set-cookie'), [])
        assert.match(got.body, /"code":"BAD_GATEWAY"/)
        assert.notEqual(valuesOf(got, 'x-cache')[0], 'HIT')
      }
      assert.ok(upstream.asked(path.slice(3)).length >= 2, 'it was asked again: nothing was kept')
    })
  }

  await t.test('a reason is ours, whatever bytes stand there', async () => {
    for (const reason of ['O\0K', '\x1b[2J', '\xff'.repeat(100), '']) {
      const answer = `HTTP/1.1 200 ${reason}\r\nCache-Control: no-store\r\nContent-Length: 1\r\n\r\nx`
      const got = await ask(`GET ${place(answer)}`)
      assert.ok(got.line === 'HTTP/1.1 200 OK' || got.status === 502, JSON.stringify(got.line))
    }
  })

  await t.test('an answer that ends early is not passed for a whole one, nor kept', async () => {
    for (const answer of [
      ok(['Content-Length: 100'], 'part'),
      ok(['Transfer-Encoding: chunked'], '4\r\npart\r\n'),
      ok(['Transfer-Encoding: chunked'], '4\r\npart\r\nZZ\r\n'),
    ]) {
      const path = place(answer)
      for (let times = 1; times <= 2; times += 1) {
        const reply = await attacked.raw(rawRequest(`GET ${path}`, [host, 'Connection: close']))
        assert.ok(reply.isClosed)
        // Either the head had gone out, and then the body never becomes whole, or it had not.
        if (reply.statuses.length > 0) assert.ok((reply.statuses[0] ?? 0) >= 500, reply.text)
        assert.doesNotMatch(reply.text, /x-cache: HIT/i)
        assert.doesNotMatch(reply.text, /\r\n0\r\n\r\n$/)
      }
      assert.equal(upstream.asked(path.slice(3)).length, 2)
    }
  })

  await t.test('bytes behind an answer are nobody’s answer', async () => {
    const evil = sized(['X-Evil: 1'], 'evil')
    const path = place(sized(['Cache-Control: no-store'], 'good') + evil, false)
    const reply = await attacked.raw(
      rawRequest(`GET ${path}`, [host]) +
        rawRequest('GET /up/next-1', [host]) +
        rawRequest('GET /up/next-2', [host, 'Connection: close']),
    )
    assert.doesNotMatch(reply.text, /evil/i)
    const later = await Promise.all(['a', 'b', 'c'].map((name) => ask(`GET /up/later-${name}`)))
    for (const { body } of later) assert.doesNotMatch(body, /^evil/)
  })

  await t.test('a body where there is none is left out', async () => {
    const path = place('HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil')
    const none = await ask(`GET ${path}`)
    assert.ok(none.status === 204 || none.status === 502)
    assert.doesNotMatch(JSON.stringify(none), /evil/)
    const head = await ask(`HEAD ${place(sized([], 'evil'))}`, [], { isHead: true })
    assert.deepEqual([head.status, head.body], [200, ''])
  })

  await t.test(
    'headers of the connection, and those that speak for the host, do not come through',
    async () => {
      const got = await ask(
        `GET ${place(
          sized([
            'Connection: X-Private, keep-alive',
            'X-Private: 1',
            'Keep-Alive: timeout=9',
            'Proxy-Authenticate: Basic',
            'Upgrade: h2c',
            'Trailer: X',
            'X-Request-Id: forged',
            'X-Stage-Answer: forged',
            'X-RateLimit-Limit: 1',
            'Cache-Control: no-store',
          ]),
        )}`,
      )
      assert.equal(got.status, 200)
      for (const name of ['x-private', 'keep-alive', 'proxy-authenticate', 'upgrade', 'trailer'])
        assert.deepEqual(valuesOf(got, name), [], name)
      assert.notDeepEqual(valuesOf(got, 'x-request-id'), ['forged'])
      assert.deepEqual(valuesOf(got, 'x-stage-answer'), ['seen'])
      assert.deepEqual(valuesOf(got, 'x-ratelimit-limit'), ['10000'])
    },
  )

  await t.test('one cookie is one cookie, and no server behind sets that of the host', async () => {
    const got = await ask(
      `GET ${place(
        sized([
          'Set-Cookie: a=1, b=2; Path=/',
          'Set-Cookie: modulacms_session=forged; Path=/',
          'Set-Cookie: __Host-modulacms_session=forged; Secure; Path=/',
          'Set-Cookie: c=3',
        ]),
      )}`,
    )
    assert.deepEqual(valuesOf(got, 'set-cookie'), ['a=1, b=2; Path=/', 'c=3'])
  })

  await t.test('an answer whose body is a request or an answer stays a body', async () => {
    const inner = `HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`
    const got = await ask(`GET ${place(sized([], inner))}`)
    assert.equal(got.body, inner)
  })

  const key = 'dGhlIHNhbXBsZSBub25jZQ=='
  const upgrade = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
  ]
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  const opening = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`

  await t.test('nothing but a rule of the proxy takes a WebSocket', async () => {
    const before = upstream.requests.length
    for (const path of [
      '/api/v1/plugins/witness/seen',
      '/api/v1/admin/plugins',
      '/gateway/api/sse',
      '/keyval/api/watch',
      '/deaf/x',
      '/missing',
      '/health',
      '/up/guarded/x',
      '/up/..;/x',
      '/up/%2e%2e/x',
    ]) {
      const reply = await attacked.raw(rawRequest(`GET ${path}`, [host, ...upgrade], '\x81\x02hi'))
      assert.equal(reply.statuses.length, 1, path)
      assert.ok((reply.statuses[0] ?? 0) >= 400, `${path} ${reply.text}`)
      assert.equal(reply.isClosed, true, 'what follows is not read as a request')
    }
    assert.equal(upstream.requests.length, before)
  })

  await t.test('a tunnel has one request, without credentials and claimed identities', async () => {
    upstream.answer('/ws-good', opening)
    const headers = [host, ...upgrade, 'X-Identity: admin', `Authorization: Bearer ${attacked.token}`]
    const reply = await attacked.raw(
      rawRequest('GET /up/ws-good', headers, rawRequest('GET /up/inside', [host])),
    )
    assert.deepEqual(reply.statuses, [101, 200])
    const [asked = assert.fail(), ...others] = upstream.asked('/ws-good')
    assert.equal(others.length, 0)
    assert.doesNotMatch(JSON.stringify(asked), new RegExp(`identity|${attacked.token}`, 'i'))
    assert.equal(upstream.asked('/up/inside').length, 1, 'bytes of a tunnel are led on as they are')
  })

  await t.test(
    'a tunnel is not opened by an answer that opens none, and no request is smuggled through it',
    async () => {
      const inside = rawRequest('GET /up/internal', [host])
      for (const answer of [
        'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n',
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
        'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
      ]) {
        const path = place(answer, false)
        const before = upstream.asked('/internal').length
        const reply = await attacked.raw(rawRequest(`GET ${path}`, [host, ...upgrade], inside))
        assert.equal(reply.statuses.length, 1, reply.text)
        assert.notEqual(reply.statuses[0], 101)
        assert.equal(upstream.asked('/internal').length, before, 'the bytes behind the request were led on')
      }
    },
  )

  await t.test('a page of another site opens no WebSocket in the name of a user', async () => {
    upstream.answer('/ws-csrf', opening)
    const open = async (...headers: string[]) =>
      (await attacked.raw(rawRequest('GET /up/ws-csrf', [host, ...upgrade, ...headers]))).statuses[0]
    for (const origin of [
      'https://evil.example',
      'null',
      'https://good.com.evil.example',
      'http://host.example.evil.example',
    ])
      assert.equal(await open(`Origin: ${origin}`, 'Cookie: session=1'), 403, origin)
    assert.equal(upstream.asked('/ws-csrf').length, 0)
    for (const origin of ['https://good.com', 'http://host.example', 'https://host.example'])
      assert.equal(await open(`Origin: ${origin}`, 'Cookie: session=1'), 101, origin)
    assert.equal(await open(), 101, 'a client that is no browser')
  })

  await attacked.assertWell()
})
