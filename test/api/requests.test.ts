import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { before, describe, it } from 'node:test'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'

const mirror = plugin(
  'mirror_world',
  `
local public = { public = true }
http.use(function(req) req.seen = { 1 } end)
http.use(function(req) req.seen[2] = 2 if req.query.stop then return { status = 418, json = { by = "middleware" } } end end)
local function show(req)
  return { json = {
    method = req.method, path = req.path, params = req.params, query = req.query, headers = req.headers,
    body = req.body, json = req.json, json_type = type(req.json), user = req.user, client_ip = req.client_ip,
    seen = req.seen,
  } }
end
http.handle("GET", "/home", show, public)
http.handle("GET", "/items/{id}", show, public)
http.handle("GET", "/items/new", function() return { body = "literal" } end, public)
http.handle("GET", "/files/{rest...}", show, public)
http.handle("GET", "/tree/", show, public)
http.handle("POST", "/show", show, public)
http.handle("PUT", "/show", show, public)
http.handle("PATCH", "/show", show, public)
http.handle("DELETE", "/show", show, public)
http.handle("GET", "/signed", show)
http.handle("POST", "/bytes", function(req)
  return { body = req.body, headers = { ["Content-Type"] = "application/x-test", ["X-Bytes"] = tostring(#req.body) } }
end, public)
http.handle("POST", "/again", function(req) return { json = req.json } end, public)
http.handle("GET", "/null", function() return { json = json.null } end, public)
http.handle("GET", "/values", function()
  return { json = { list = json.array(), object = {}, null = json.null, half = 0.5, whole = 10 / 2, big = 9007199254740993, html = "<a&b>" } }
end, public)
http.handle("GET", "/empty", function() return { status = 204 } end, public)
http.handle("GET", "/plain", function() return { body = "hé" } end, public)
http.handle("GET", "/page", function(req)
  return { body = "<script>1</script>", headers = { ["Content-Type"] = req.query.type } }
end, public)
http.handle("GET", "/headers", function()
  return { status = 201, body = "x", headers = {
    ["X-Mine"] = "yes", Location = "/there", ["Set-Cookie"] = "a=b", ["SET_COOKIE"] = "a=b",
    ["Access-Control-Max-Age"] = "1", ["access-control-allow-origin"] = "*", ["X-Frame-Options"] = "ALLOWALL",
    ["x-content-type-options"] = "off", ["Cache-Control"] = "public", ["Transfer-Encoding"] = "chunked",
    ["Content-Length"] = "999", Connection = "close", Host = "evil", ["Proxy-Authenticate"] = "x",
    ["X-Request-ID"] = "forged",
  } }
end, public)
http.handle("GET", "/split", function() return { headers = { ["X-A"] = "a\\r\\nSet-Cookie: admin=1" } } end, public)
`,
)

interface Shown {
  readonly method: string
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly json?: unknown
  readonly json_type: string
  readonly user?: unknown
  readonly client_ip: string
  readonly seen: unknown
}

describe('What a handler gets and gives', () => {
  const current = useHost({ plugins: { 'mirror/init.lua': mirror } })
  let server: TestHost
  before(() => {
    server = current()
  })
  const base = '/mirror_world'
  const show = async (method: string, path: string, sending = {}): Promise<Shown> => {
    const answer = await server.call(method, base + path, sending)
    assert.equal(answer.status, 200, answer.text)
    return answer.json<Shown>()
  }

  it('gives method, path, query, headers and the address; first values, lower-case names', async () => {
    const shown = await show('GET', '/items/a%20b%2Fc?q=1&q=2&flag&plus=a+b', {
      headers: { 'X-Twice': ['first', 'second'], 'X-Upper': 'Value' },
    })
    assert.equal(shown.method, 'GET')
    assert.equal(shown.path, '/api/v1/plugins/mirror_world/items/a b/c')
    assert.deepEqual(shown.params, { id: 'a b/c' })
    assert.deepEqual(shown.query, { q: '1', flag: '', plus: 'a b' })
    assert.equal(shown.headers['x-twice'], 'first')
    assert.equal(shown.headers['x-upper'], 'Value')
    assert.equal(shown.client_ip, '127.0.0.1')
    assert.equal(shown.body, '')
    assert.equal(shown.json_type, 'nil')
    assert.deepEqual(shown.seen, [1, 2], 'middleware ran in order')
  })

  it('serves each method', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const shown = await show(method, '/show', { json: { a: [1, { b: true }] } })
      assert.equal(shown.method, method)
      assert.deepEqual(shown.json, { a: [1, { b: true }] })
      assert.equal(shown.body, '{"a":[1,{"b":true}]}')
    }
  })

  it('lets middleware answer in the place of a handler', async () => {
    const answer = await server.call('GET', `${base}/items/7?stop=1`)
    assert.deepEqual([answer.status, answer.json()], [418, { by: 'middleware' }])
  })

  it('prefers literal segments, and matches rests and subtrees', async () => {
    assert.equal((await server.call('GET', `${base}/items/new`)).text, 'literal')
    assert.deepEqual((await show('GET', '/files/a/b%20c/d.txt')).params, { rest: 'a/b c/d.txt' })
    assert.equal((await show('GET', '/tree/any/leaf')).path, '/api/v1/plugins/mirror_world/tree/any/leaf')
    assert.equal((await server.call('GET', `${base}/items/`)).status, 404)
    assert.equal((await server.call('GET', `${base}/items/a/b`)).status, 404)
  })

  it('does not let dots in a path leave the plugin', async () => {
    for (const path of ['/files/../../../admin/plugins', '/files/%2e%2e/%2e%2e/admin/plugins']) {
      const answer = await server.call('GET', base + path, { headers: server.credentials })
      if (answer.status === 200)
        assert.ok(answer.json<Shown>().path.startsWith('/api/v1/plugins/mirror_world/'))
      else assert.match(answer.text, /ROUTE_NOT_FOUND|INVALID_PATH/)
    }
  })

  it('answers HEAD on a GET route without a body', async () => {
    const answer = await server.call('HEAD', `${base}/items/7`)
    assert.equal(answer.status, 200)
    assert.equal(answer.bytes.length, 0)
    assert.equal((await server.call('HEAD', `${base}/show`)).status, 404)
  })

  it('shows who is signed in, and never the credentials', async () => {
    const shown = await show('GET', '/signed', {
      headers: { ...server.credentials, cookie: 'theme=dark; lang=de' },
    })
    assert.deepEqual(shown.user, { id: 'admin', username: 'admin', role: 'admin' })
    assert.equal(shown.headers.authorization, undefined)
    assert.match(shown.headers.cookie ?? '', /^theme=dark; *lang=de$/)
    const gone = await show('GET', '/items/7', {
      headers: { cookie: 'theme=dark; modulacms_session=s3cr3t; lang=de' },
    })
    assert.match(gone.headers.cookie ?? '', /^theme=dark; *lang=de$/)
    const text = JSON.stringify([shown, gone])
    assert.ok(!text.includes(server.host.adminToken.token) && !text.includes('s3cr3t'))
    const stranger = await show('GET', '/items/7', {
      headers: { authorization: 'Bearer other' },
    })
    assert.equal(stranger.user, undefined)
    assert.equal(stranger.headers.authorization, undefined)
  })

  it('passes bytes through both ways as they are', async () => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    for (const body of [
      every,
      randomBytes(300_000),
      Buffer.from('\0'),
      Buffer.from('äöü€𝄞'),
      Buffer.from([0xc3]),
    ]) {
      const answer = await server.call('POST', `${base}/bytes`, { body })
      assert.equal(answer.headers['content-type'], 'application/x-test')
      assert.equal(answer.headers['x-bytes'], String(body.length))
      const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
      assert.equal(digest(answer.bytes), digest(body))
    }
  })

  it('decodes JSON only by its content type, and leaves malformed text as the body', async () => {
    const body = '{"a":1}'
    const typed = (type: string) => show('POST', '/show', { body, headers: { 'content-type': type } })
    assert.equal((await typed('text/plain')).json_type, 'nil')
    assert.deepEqual((await typed('APPLICATION/JSON; charset=utf-8')).json, { a: 1 })
    const broken = await show('POST', '/show', {
      body: '{"a":',
      headers: { 'content-type': 'application/json' },
    })
    assert.deepEqual([broken.json_type, broken.body], ['nil', '{"a":'])
    assert.equal((await show('POST', '/show', { json: 7 })).json_type, 'number')
    assert.deepEqual(
      (await show('POST', '/show', { json: JSON.parse('{"__proto__":{"x":1}}') })).json_type,
      'table',
    )
  })

  it('keeps integers exact, nulls and empty lists what they are', async () => {
    for (const body of [
      '9007199254740993',
      '-9223372036854775808',
      '[]',
      '[1,null,3]',
      '{"a":"\\u0000é"}',
      '0.1',
    ]) {
      const answer = await server.call('POST', `${base}/again`, {
        body,
        headers: { 'content-type': 'application/json' },
      })
      assert.equal(answer.status, 200, `${body} ${answer.text}`)
      if (body === '[]') assert.ok(['[]', '{}'].includes(answer.text))
      else if (body.startsWith('{')) assert.deepEqual(answer.json(), { a: '\0é' })
      else assert.equal(answer.text, body)
    }
    assert.equal((await server.call('GET', `${base}/null`)).text, 'null')
    const values = (await server.call('GET', `${base}/values`)).text
    assert.match(values, /"list":\[\]/)
    assert.match(values, /"object":\{\}/)
    assert.match(values, /"null":null/)
    assert.match(values, /"half":0\.5/)
    assert.match(values, /"whole":5[,}]/)
    assert.match(values, /"big":9007199254740993/)
    assert.doesNotMatch(values, /[<>&]/)
  })

  it('sends what the plugin may set and keeps what belongs to the host', async () => {
    const { status, headers, text } = await server.call('GET', `${base}/headers`)
    assert.deepEqual([status, text], [201, 'x'])
    assert.equal(headers['x-mine'], 'yes')
    assert.equal(headers.location, '/there')
    assert.equal(headers['content-length'], '1')
    assert.equal(headers['x-frame-options'], 'DENY')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['cache-control'], 'no-store')
    assert.notEqual(headers['x-request-id'], 'forged')
    for (const name of [
      'set-cookie',
      'set_cookie',
      'access-control-max-age',
      'access-control-allow-origin',
      'proxy-authenticate',
      'host',
      'transfer-encoding',
    ]) {
      assert.equal(headers[name], undefined, name)
    }
    const split = await server.call('GET', `${base}/split`)
    assert.deepEqual(
      [split.code, split.headers['x-a'], split.headers['set-cookie']],
      ['HANDLER_ERROR', undefined, undefined],
    )
  })

  it('keeps pages from acting in the name of who looks at them', async () => {
    for (const [type, isPage] of [
      ['text/html', true],
      ['TEXT/HTML; charset=utf-8', true],
      ['application/xhtml+xml', true],
      ['image/svg+xml', true],
      ['text/plain-html', true],
      ['application/json', false],
      ['text/plain; charset=utf-8', false],
    ] as const) {
      const page = await server.call('GET', `${base}/page?type=${encodeURIComponent(type)}`)
      assert.equal(page.text, '<script>1</script>')
      const policy = String(page.headers['content-security-policy'] ?? '')
      assert.equal(policy.startsWith('sandbox '), isPage, type)
      assert.doesNotMatch(policy, /allow-same-origin|allow-popups-to-escape/)
    }
  })

  it('gives bodies a type, and none where there is no body', async () => {
    const plain = await server.call('GET', `${base}/plain`)
    assert.deepEqual([plain.text, plain.headers['content-type']], ['hé', 'text/plain; charset=utf-8'])
    const empty = await server.call('GET', `${base}/empty`)
    assert.deepEqual([empty.status, empty.bytes.length, empty.headers['content-type']], [204, 0, undefined])
  })
})

it('believes X-Forwarded-For only from trusted proxies', async (test) => {
  const forwarded = { headers: { 'x-forwarded-for': '6.6.6.6, 9.9.9.9, 127.0.0.1' } }
  const plugins = { 'mirror/init.lua': mirror }
  const server = await startHost(test, { plugins, config: { plugin_trusted_proxies: ['127.0.0.0/8'] } })
  const ip = async () => (await server.call('GET', '/mirror_world/home', forwarded)).json<Shown>().client_ip
  assert.equal(await ip(), '9.9.9.9')
  await server.restart({ config: { plugin_trusted_proxies: ['10.0.0.0/8'] } })
  assert.equal(await ip(), '127.0.0.1', 'the peer itself is not trusted')
})
