import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { kvHttpLimits, kvLimits } from '../../src/base/limits/kv.js'
import type { KvKeyPart } from '../../src/kv/key.js'
import { keyToWire } from '../../src/kv/wire.js'
import { useHost } from '../helpers/create-host.js'
import { kvCall, kvRefused, kvSend } from '../helpers/kv-calls.js'

const invalid = { status: 400, code: 'KV_REQUEST_INVALID' }

/** Every operation, with a path that it has. */
const operations = [
  ['GET', '/keys'],
  ['POST', '/keys/list'],
  ['GET', '/keys/count'],
  ['POST', '/keys/count'],
  ['GET', '/keys/paginate'],
  ['POST', '/keys/paginate'],
  ['GET', '/keys/a'],
  ['PUT', '/keys/a'],
  ['DELETE', '/keys/a'],
  ['POST', '/keys/batch'],
  ['POST', '/keys/delete-batch'],
  ['POST', '/atomic'],
  ['POST', '/queue/enqueue'],
  ['GET', '/queue/listen'],
  ['GET', '/queue/poll'],
  ['POST', '/queue/ack'],
  ['POST', '/queue/nack'],
  ['POST', '/queue/extend'],
  ['GET', '/queue/stats'],
  ['GET', '/queue/dlq'],
  ['DELETE', '/queue/dlq'],
  ['GET', '/queue/dlq/1'],
  ['DELETE', '/queue/dlq/1'],
  ['POST', '/queue/dlq/1/requeue'],
  ['GET', '/metrics'],
  ['GET', '/metrics/prometheus'],
  ['GET', '/watch'],
  ['GET', '/watch/poll'],
  ['GET', '/watch/prefix'],
  ['GET', '/watch/prefix/poll'],
  ['POST', '/indexes'],
  ['GET', '/indexes'],
  ['DELETE', '/indexes'],
  ['GET', '/search'],
  ['POST', '/search'],
  ['GET', '/namespaces'],
] as const

describe('the key-value store over HTTP', () => {
  const server = useHost({ plugins: {} })

  it('is closed to everybody without the credential, in every place', async () => {
    const host = server()
    const credentials: readonly Record<string, string>[] = [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: 'Basic YTpi' },
      { cookie: `modulacms_session=${host.host.adminToken.token}` },
    ]
    for (const prefix of ['/keyval/api', '/api/keyval']) {
      for (const [method, path] of [...operations, ['GET', '/nothing'] as const]) {
        for (const headers of credentials) {
          const answer = await host.send(method, `${prefix}${path}`, { headers })
          assert.equal(answer.status, 401, `${method} ${prefix}${path}`)
          assert.deepEqual(answer.json(), {
            error:
              'The key-value store needs a credential, the admin token or an API key as "Authorization: Bearer <token>", or a session.',
            code: 'UNAUTHORIZED',
          })
          assert.equal(answer.headers['www-authenticate'], 'Bearer')
        }
      }
    }
  })

  it('has the operations that its document names, and no others', async () => {
    const host = server()
    const { paths } = (await host.send('GET', '/api/v1/openapi.json')).json<{
      paths: Readonly<Record<string, object>>
    }>()
    const documented = Object.entries(paths)
      .filter(([path]) => path.startsWith('/keyval/api/'))
      .flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.slice('/keyval/api'.length)}`),
      )
    const known = operations.map(([method, path]) => {
      const template = path.replace(/^\/keys\/a$/, '/keys/{*}').replace('/dlq/1', '/dlq/{id}')
      return `${method} ${template}`
    })
    assert.deepEqual(documented.sort(), known.sort())
  })

  it('reads no more at one moment than it can decode in one go', async () => {
    const host = server()
    await kvCall(host, 'PUT', '/keys/fat', 'x'.repeat(65_000))
    const keys = Array.from({ length: 1000 }, () => ['fat'])
    const refusal = {
      status: 413,
      code: 'KV_READ_TOO_LARGE',
      text: /65002000 bytes, and 8388608 are allowed/,
    }
    await kvRefused(host, 'POST', '/keys/batch', refusal, { json: { keys } })
    const some = await kvCall(host, 'POST', '/keys/batch', { keys: keys.slice(0, 100) })
    assert.equal(some.length, 100)
  })

  it('puts no work into values that are far too large', async () => {
    const host = server()
    const members = Object.fromEntries(Array.from({ length: 130_000 }, (_, at) => [`k${at}`, 1]))
    const refusal = { status: 413, code: 'KV_VALUE_TOO_LARGE', text: /more than 262144 bytes/ }
    for (const json of [members, Object.keys(members), ['x'.repeat(300_000), 1]]) {
      await kvRefused(host, 'PUT', '/keys/far', refusal, { json })
    }
    // What tags take more than what is stored of them is no reason to refuse a value.
    const times = Array.from({ length: 4000 }, () => ({ $now: true, $offset: -1234567890123 }))
    await kvCall(host, 'PUT', '/keys/times', times)
    const bytes = { __type: 'bytes', value: Buffer.alloc(64 * 1024).toString('base64') }
    await kvCall(host, 'PUT', '/keys/bytes', bytes)
    await kvRefused(host, 'GET', '/keys/far', { status: 404, code: 'KV_KEY_NOT_FOUND' })
  })

  it('knows every parameter that it takes', async () => {
    const host = server()
    for (const [method, path] of operations) {
      const unknown = { ...invalid, text: /unknown parameter "nope"/ }
      await kvRefused(host, method, `${path}?nope=1`, unknown)
      if (path === '/namespaces' || path.startsWith('/metrics')) continue
      const twice = { ...invalid, text: /parameter "namespace" more than once/ }
      await kvRefused(host, method, `${path}?namespace=a&namespace=a`, twice)
    }
    const none = { ...invalid, text: /"namespace"; this takes none\.$/ }
    await kvRefused(host, 'GET', '/metrics?namespace=a', none)
    await kvRefused(host, 'GET', '/keys?__proto__=1', { ...invalid, text: /unknown parameter "__proto__"/ })
    await kvRefused(host, 'GET', '/keys?limit=%zz', { ...invalid, text: /not percent-encoded/ })
    await kvRefused(host, 'GET', '/keys?limit=0', { ...invalid, text: /limit must be from 1 to 1000, not 0/ })
    await kvRefused(host, 'GET', '/keys?limit=1001', { ...invalid, text: /not 1001/ })
    await kvRefused(host, 'GET', '/keys?limit=NaN', { ...invalid, text: /limit must be a whole number/ })
    await kvRefused(host, 'GET', '/keys?reverse=1', { ...invalid, text: /reverse must be true or false/ })
    await kvRefused(host, 'GET', '/keys/paginate?cursor=%00x', { status: 400, code: 'KV_CURSOR_INVALID' })
    await kvRefused(host, 'GET', '/nothing', { status: 404, code: 'NOT_FOUND' })
    await kvRefused(host, 'PATCH', '/keys/a', { status: 404, code: 'NOT_FOUND' })
  })

  it('refuses bodies that it cannot read, and does nothing of them', async () => {
    const host = server()
    const json = { 'content-type': 'application/json' }
    const bodies: readonly (readonly [string, RegExp])[] = [
      ['{', /could not be read/],
      ['', /body is empty/],
      ['{"__proto__":{"x":1}}', /could not be read/],
      ['{"a":{"constructor":{"prototype":{"x":1}}}}', /could not be read/],
      [`${'['.repeat(200_000)}${']'.repeat(200_000)}`, /./],
      [`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, /./],
      ['{"keys":[["a"]],"keys2":1}', /./],
      ['null', /./],
      ['7', /./],
    ]
    for (const [method, path] of operations) {
      if (method !== 'POST' || path.endsWith('/requeue')) continue
      for (const [body, text] of bodies) {
        await kvRefused(host, method, path, { ...invalid, text }, { body, headers: json })
      }
      const form = { body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
      await kvRefused(host, method, path, { status: 415, code: 'KV_REQUEST_INVALID' }, form)
      const large = { body: `"${'x'.repeat(kvHttpLimits.bodyBytesMax)}"`, headers: json }
      await kvRefused(host, method, path, { status: 413, code: 'KV_BODY_TOO_LARGE' }, large)
    }
    await kvCall(host, 'PUT', '/keys/kept/child', 1)
    for (const body of ['{', '[]', '{"exact":"no"}', '{"exct":false}', '{"where":[]}']) {
      await kvRefused(host, 'DELETE', '/keys/kept', invalid, { body, headers: json })
    }
    const where = { status: 400, code: 'KV_WHERE_INVALID' }
    await kvRefused(host, 'DELETE', '/keys/kept', where, {
      json: { exact: false, where: { a: { $gtt: 1 } } },
    })
    assert.equal((await kvCall(host, 'GET', '/keys/kept/child')).value, 1)
  })

  it('refuses keys and values that it cannot hold', async () => {
    const host = server()
    const long = 'x'.repeat(kvLimits.keyPartBytesMax + 1)
    const key = { status: 400, code: 'KV_KEY_INVALID' }
    await kvRefused(host, 'PUT', `/keys/${long}`, { ...key, text: /1025 characters/ }, { json: 1 })
    await kvRefused(host, 'GET', `/keys/${'a/'.repeat(21)}`, { ...key, text: /has 21 parts/ })
    await kvRefused(host, 'GET', '/keys/', { ...invalid, text: /is empty/ })
    await kvRefused(host, 'GET', '/keys/%5B1', { ...invalid, text: /is not JSON/ })
    await kvRefused(host, 'PUT', '/keys/v', { ...invalid, text: /The body is missing/ })
    const value = { status: 400, code: 'KV_VALUE_INVALID' }
    await kvRefused(host, 'PUT', '/keys/v', value, { json: { __type: 'bigint', value: 'x' } })
    await kvRefused(host, 'PUT', '/keys/v', value, { json: { __type: 'u64', value: '-1' } })
    await kvRefused(host, 'PUT', '/keys/v', value, { json: { __type: 'bigint', value: '9'.repeat(20_000) } })
    const big = { status: 413, code: 'KV_VALUE_TOO_LARGE' }
    await kvRefused(host, 'PUT', '/keys/v', big, { json: 'x'.repeat(kvLimits.valueBytesMax) })
    await kvRefused(host, 'GET', '/keys/v', { status: 404, code: 'KV_KEY_NOT_FOUND' })
    const nul = await kvCall(host, 'PUT', '/keys/a%00b', { 'a\0b': '\0' })
    assert.equal(nul.ok, true)
    assert.deepEqual((await kvCall(host, 'GET', '/keys/a%00b')).key, ['a\0b'])
  })

  it('survives requests that are no requests', async () => {
    const host = server()
    const { hostname, port } = new URL(host.url)
    const head = `Host: x\r\nAuthorization: ${host.credentials.authorization}\r\nConnection: close\r\n\r\n`
    const lines = [
      'GET /keyval/api/keys/%zz HTTP/1.1',
      'GET /keyval/api/keys/%ff HTTP/1.1',
      'GET /keyval/api/keys/%C0%80 HTTP/1.1',
      `GET /keyval/api/keys/${'a'.repeat(20_000)} HTTP/1.1`,
      'GET /keyval/api/queue/dlq/%2e%2e HTTP/1.1',
      'GET /keyval/api/../../etc/passwd HTTP/1.1',
      'GET /keyval/api/keys/a\0b HTTP/1.1',
    ]
    for (const line of lines) {
      const socket = connect(Number(port), hostname)
      let text = ''
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1')
      })
      socket.write(`${line}\r\n${head}`)
      await once(socket, 'close')
      assert.match(text, /^HTTP\/1\.1 4\d\d /, `${line}: ${text}`)
    }
    assert.deepEqual(await kvCall(host, 'GET', '/queue/stats'), {
      pending: 0,
      processing: 0,
      dlq: 0,
      total: 0,
    })
  })

  it('answers in its own form for paths that cannot be decoded', async () => {
    const host = server()
    for (const path of ['/keys/%zz', '/keys/%ff', '/%C0%80', '/queue/dlq/%e0']) {
      for (const prefix of ['/keyval/api', '/api/keyval']) {
        const answer = await host.send('GET', `${prefix}${path}`, { headers: host.credentials })
        assert.equal(answer.status, 400)
        assert.deepEqual(answer.json(), {
          error: 'The path is not percent-encoded UTF-8. Encode each part of it as encodeURIComponent does.',
          code: 'KV_REQUEST_INVALID',
        })
        assert.equal(answer.headers['cache-control'], 'no-store')
      }
    }
    const long = { ...invalid, text: /could not be read/ }
    await kvRefused(host, 'GET', `/queue/dlq/${'1'.repeat(2000)}`, long)
  })

  it('takes the key from the URL as it was sent, however the path is written', async () => {
    const host = server()
    await kvCall(host, 'PUT', '/keys/%61%2Fb/1', 'odd')
    assert.deepEqual((await kvCall(host, 'GET', '/%6beys/a%2Fb/1')).key, ['a/b', 1])
    const absolute = await host.send('GET', 'http://example.com/keyval/api/keys/a%2Fb/1', {
      headers: host.credentials,
    })
    assert.deepEqual([absolute.status, absolute.json().code], [400, 'INVALID_PATH'])
  })

  it('reaches any key through paths, queries and bodies alike', async () => {
    const host = server()
    const part: fc.Arbitrary<KvKeyPart> = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.constantFrom('', '/', '%', '%2F', '42', 'count', '__proto__', '[', '\0', '+', '&', '#', '?', ','),
      fc.double({ noNaN: true }).map((number) => number + 0),
      fc.bigInt({ min: -(2n ** 90n), max: 2n ** 90n }),
      fc.boolean(),
      fc.uint8Array({ maxLength: 20 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 8 }), fc.integer(), async (key, value) => {
        const wire = keyToWire(key)
        const text = encodeURIComponent(JSON.stringify(wire))
        await kvCall(host, 'PUT', `/keys/${text}?namespace=any`, value)
        const entry = await kvCall(host, 'GET', `/keys/${text}?namespace=any`)
        assert.deepEqual([entry.key, entry.value], [wire, value])
        const [same] = await kvCall(host, 'POST', '/keys/batch?namespace=any', { keys: [wire] })
        assert.deepEqual(same, entry)
        const watched = encodeURIComponent(JSON.stringify([wire]))
        const poll = await kvCall(host, 'GET', `/watch/poll?namespace=any&keys=${watched}`)
        assert.deepEqual(poll.entries, [{ type: 'set', ...entry }])
        const parent = encodeURIComponent(JSON.stringify(wire.slice(0, -1)))
        const path = `/keys?namespace=any&prefix=${parent}&start=${text}&limit=1`
        assert.deepEqual(await kvCall(host, 'GET', path), [entry])
        const commit = { mutations: [{ type: 'delete', key: wire }] }
        assert.equal((await kvCall(host, 'POST', '/atomic?namespace=any', commit)).ok, true)
        const gone = await kvSend(host, 'GET', `/keys/${text}?namespace=any`)
        assert.equal(gone.status, 404)
      }),
      { numRuns: 60 },
    )
  })
})
