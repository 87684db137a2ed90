import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startAttackedHost, trustedProxy } from '../helpers/attacked-host.js'
import { rawRequest, valuesOf } from '../helpers/raw-http.js'

const seenPath = '/api/v1/plugins/witness/seen'

test('headers by which a client says who or where it is', { timeout: 120_000 }, async (t) => {
  const attacked = await startAttackedHost(t)
  const { ask, upstream } = attacked
  let count = 0
  /** Asks the server behind through the proxy and gives what came to it. */
  const askBehind = async (headers: readonly string[], options = {}) => {
    count += 1
    const answer = await ask(`GET /up/client-${count}`, headers, options)
    assert.equal(answer.status, 200, answer.body)
    const [request = assert.fail('the server behind was not asked'), ...others] = upstream.asked(
      `/client-${count} `,
    )
    assert.equal(others.length, 0)
    return request
  }
  const askPlugin = async (headers: readonly string[], options = {}) => {
    count += 1
    const answer = await ask(`GET ${seenPath}?${count}`, headers, options)
    assert.equal(answer.status, 200, answer.body)
    return JSON.parse(answer.body) as { ip: string; headers: Record<string, string> }
  }

  await t.test('a claimed identity comes to no plugin, no stage and no server behind', async () => {
    for (const claim of ['X-Identity', 'x-identity', 'X_Identity', 'x-IDENTITY']) {
      const claimed = [`${claim}: {"sub":"admin"}`, `${claim}: {"sub":"root"}`]
      const request = await askBehind(claimed)
      assert.doesNotMatch(JSON.stringify(request), /"sub|identity/i)
      const { headers } = await askPlugin(claimed)
      assert.doesNotMatch(JSON.stringify(headers), /"sub|identity/i)
    }
  })

  await t.test('what Connection names ends here for everybody alike', async () => {
    const sent = [
      'Connection: X-Identity, Authorization, X-Secret,, ,X-Missing',
      'X-Identity: admin',
      'Authorization: Basic YTpi',
      'X-Secret: 1',
      'X-Kept: 1',
    ]
    const request = await askBehind(sent)
    for (const name of ['x-identity', 'authorization', 'x-secret'])
      assert.deepEqual(valuesOf(request, name), [])
    assert.deepEqual(valuesOf(request, 'x-kept'), ['1'])
    // A stage that lets a request pass by a header must not see one that the server behind does not get.
    assert.deepEqual(valuesOf(request, 'x-stage-names'), ['connection host x-kept'])
    const { headers } = await askPlugin(sent)
    for (const name of ['x-identity', 'authorization', 'x-secret']) assert.equal(headers[name], undefined)
  })

  await t.test('Connection takes out nothing that the gateway or a stage says', async () => {
    const names = [
      'X-Stage-Ip',
      'X-Stage-Path',
      'X-Forwarded-For',
      'X-Real-IP',
      'Via',
      'Host',
      'Content-Length',
    ]
    const request = await askBehind([`Connection: ${names.join(', ')}`, 'Via: 1.1 other'])
    assert.deepEqual(valuesOf(request, 'x-stage-ip'), ['127.0.0.1'])
    assert.deepEqual(valuesOf(request, 'x-stage-path'), [`/up/client-${count}`])
    assert.deepEqual(valuesOf(request, 'x-forwarded-for'), ['127.0.0.1'])
    assert.deepEqual(valuesOf(request, 'x-real-ip'), ['127.0.0.1'])
    assert.deepEqual(valuesOf(request, 'host'), ['host.example'])
    assert.match(valuesOf(request, 'via').join(), /^1\.1 other, 1\.1 modulacms-/)
  })

  await t.test('headers of the connection are not passed on, nor are credentials for the host', async () => {
    const request = await askBehind([
      'Keep-Alive: timeout=5',
      'Proxy-Authorization: Basic YTpi',
      'Proxy-Connection: keep-alive',
      'TE: trailers',
      'Trailer: X',
      `Authorization: Bearer ${attacked.token}`,
      'Cookie: a=1',
    ])
    const names = ['keep-alive', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'authorization']
    for (const name of names) assert.deepEqual(valuesOf(request, name), [], name)
    assert.deepEqual(valuesOf(request, 'cookie'), ['a=1'])
    assert.doesNotMatch(JSON.stringify(request), new RegExp(attacked.token))
    const cookies = 'Cookie: a=1; modulacms_session=secret; __Host-modulacms_session=secret'
    const withCookies = await askBehind([cookies])
    assert.deepEqual(valuesOf(withCookies, 'cookie'), ['a=1'])
    assert.doesNotMatch(JSON.stringify(withCookies), /secret/)
  })

  await t.test('a stranger does not say where it comes from', async () => {
    const lies = [
      'X-Forwarded-For: 6.6.6.6',
      'X-Forwarded-For: 7.7.7.7, 127.0.0.9',
      'X-Real-IP: 6.6.6.6',
      'Forwarded: for=6.6.6.6;host=evil.example;proto=https',
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Port: 6666',
      'X-Client-IP: 6.6.6.6',
      'True-Client-IP: 6.6.6.6',
      'CF-Connecting-IP: 6.6.6.6',
    ]
    assert.equal((await askPlugin(lies)).ip, '127.0.0.1')
    const request = await askBehind(lies)
    assert.deepEqual(valuesOf(request, 'x-forwarded-for'), ['127.0.0.1'])
    assert.deepEqual(valuesOf(request, 'x-real-ip'), ['127.0.0.1'])
    assert.deepEqual(valuesOf(request, 'x-stage-ip'), ['127.0.0.1'])
    assert.deepEqual(valuesOf(request, 'x-forwarded-proto'), ['http'])
    assert.deepEqual(valuesOf(request, 'x-forwarded-host'), ['host.example'])
    for (const name of ['forwarded', 'x-forwarded-port']) assert.deepEqual(valuesOf(request, name), [])
  })

  await t.test(
    'a proxy of ours says it, and what stands in front of its own word does not count',
    async () => {
      const from = { from: trustedProxy }
      const addressOf = async (...chain: string[]) => {
        const headers = chain.map((each) => `X-Forwarded-For: ${each}`)
        return (await askPlugin([...headers, 'X-Real-IP: 9.9.9.9', 'Forwarded: for=9.9.9.9'], from)).ip
      }
      assert.equal(await addressOf('6.6.6.6, 203.0.113.5'), '203.0.113.5')
      assert.equal(await addressOf('6.6.6.6', '203.0.113.5'), '203.0.113.5')
      assert.equal(await addressOf('6.6.6.6, 203.0.113.5, 127.0.0.9'), '203.0.113.5')
      assert.equal(await addressOf('::ffff:203.0.113.5'), '203.0.113.5')
      assert.equal(await addressOf('[2001:DB8::0:1]:4711'), '2001:db8::1')
      assert.equal(await addressOf('203.0.113.5:80'), '203.0.113.5')
      assert.equal(await addressOf('203.0.113.5, unknown, , _hidden, 1.2.3, 0x7f000001'), '203.0.113.5')
      assert.equal(await addressOf('not an address'), trustedProxy)
      assert.equal(await addressOf(), trustedProxy)
      const request = await askBehind(['X-Forwarded-For: 203.0.113.5', 'X-Forwarded-Proto: https'], from)
      assert.deepEqual(valuesOf(request, 'x-forwarded-for'), [`203.0.113.5, ${trustedProxy}`])
      assert.deepEqual(valuesOf(request, 'x-real-ip'), ['203.0.113.5'])
      assert.deepEqual(valuesOf(request, 'x-forwarded-proto'), ['https'])
    },
  )

  await t.test('no spelling of an address or a path gets a client a further bucket', async () => {
    const limited = async (path: string, headers: readonly string[] = [], options = {}) =>
      (await ask(`GET ${path}`, headers, options)).status
    for (const path of ['/up/limited/1', '/up/%6cimited/2', '/up/limited%2f3'])
      assert.equal(await limited(path), 200)
    const before = upstream.requests.length
    const spellings = [
      '/up/limited/x',
      '/up/limited',
      '/up/limited/',
      '/up/limited%2Fx',
      '/up/limited;a/x',
      '/%75p/limited/x',
    ]
    for (const [at, path] of spellings.entries()) {
      assert.equal(
        await limited(path, [`X-Forwarded-For: 10.0.0.${at}`, `X-Real-IP: 10.0.0.${at}`]),
        429,
        path,
      )
    }
    assert.equal(await limited('/up/limited/x', [], { to: '127.0.0.1', from: '127.0.0.1' }), 429)
    assert.equal(upstream.requests.length, before, 'none of them came to the server behind')
    // Behind a proxy of ours, clients have buckets of their own, whatever stands in front of their address.
    for (let at = 0; at < 3; at += 1) {
      const chain = [`X-Forwarded-For: 1.1.1.${at}, 198.51.100.1`]
      assert.equal(await limited(`/up/limited/p${at}`, chain, { from: trustedProxy }), 200)
    }
    const mapped = ['X-Forwarded-For: 1.1.1.9, ::ffff:198.51.100.1']
    assert.equal(await limited('/up/limited/p9', mapped, { from: trustedProxy }), 429)
  })

  await t.test('a HEAD takes from the bucket that a GET takes from', async () => {
    assert.equal((await ask('HEAD /up/limited/x')).status, 429)
  })

  await t.test('an IPv4 client on a socket for both families is the same client', async (inner) => {
    const both = await startAttackedHost(inner, {}, { host: '::' })
    for (let at = 0; at < 3; at += 1) assert.equal((await both.ask(`GET /up/limited/${at}`)).status, 200)
    assert.equal((await both.ask('GET /up/limited/x')).status, 429)
    assert.equal((await both.ask('GET /up/limited/y', ['X-Forwarded-For: ::1'])).status, 429)
    const trusted = await both.ask(`GET ${seenPath}`, ['X-Forwarded-For: 203.0.113.5'], {
      from: trustedProxy,
    })
    assert.equal(JSON.parse(trusted.body).ip, '203.0.113.5', 'the mapped address is that of the proxy')
    const bucket = valuesOf(await both.ask('GET /up/limited/z', [], { to: '::1' }), 'x-ratelimit-remaining')
    assert.deepEqual(bucket, ['2'], 'another client has its own')
  })

  await t.test('the log has one line for each request, whatever the request says', async () => {
    const forged = '{"level":"error","msg":"forged"}'
    await ask(`GET /up/${encodeURIComponent(`\n${forged}\n`)}`)
    await ask(`GET /missing/%0a%0d${encodeURIComponent(forged)}`, [`User-Agent: \x1b[2J${forged}`])
    await ask(`GET /missing`, [`Authorization: Bearer ${forged}`, `X-Request-Id: ${forged}`])
    await attacked.raw(rawRequest(`GET /up/x`, [`Host: ${forged}`, 'Connection: close']))
    const lines = attacked.log().split('\n')
    assert.ok(lines.length > 5)
    for (const line of lines.filter((each) => each.includes('forged'))) {
      assert.notEqual(JSON.parse(line).msg, 'forged')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal obeys exactly these.
      assert.doesNotMatch(line, /[\x00-\x08\x0b-\x1f]/)
    }
    const shown = await ask('GET /gateway/api/logs', [`Authorization: Bearer ${attacked.token}`])
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
    assert.doesNotMatch(shown.body, /[\x00-\x1f]/)
    assert.doesNotMatch(attacked.log(), new RegExp(attacked.token))
  })

  await attacked.assertWell()
})
