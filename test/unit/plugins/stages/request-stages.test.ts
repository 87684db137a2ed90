import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { useStageHost } from '../../../helpers/stage-host.js'

const unavailable = 'GATEWAY_STAGE_UNAVAILABLE'

const startStages = useStageHost()

/** An init.lua with one stage whose function has this body. */
const stage = (body: string, options = ''): string =>
  `gateway.on_request(function(req)\n${body}\nend${options})`

async function codeOf(response: Response): Promise<unknown> {
  return ((await response.json()) as { code?: unknown }).code
}

describe('a stage for requests', () => {
  it('sees the request without credentials of the host, and lets it go on by returning nothing', async (test) => {
    const host = await startStages(test, {
      guard: stage(`
        log.info("seen", { method = req.method, path = req.path, a = req.query.a, raw = req.raw_query, ip = req.client_ip,
          user = req.user and req.user.username, auth = req.headers.authorization, cookie = req.headers.cookie,
          custom = req.headers["x-custom"] })`),
    })
    const headers = { authorization: 'Bearer good', cookie: 'modulacms_session=s; other=1', 'x-custom': 'c' }
    const response = await fetch(`${host.url}/echo/caf%C3%A9?a=1&b`, { headers })
    assert.equal(response.status, 200)
    const [, line] = host.reports.find(([kind]) => kind === 'log') ?? []
    assert.deepEqual((line as { fields: unknown }).fields, {
      method: 'GET',
      path: '/echo/café',
      a: '1',
      raw: 'a=1&b',
      ip: '192.0.2.7',
      user: 'ann',
      cookie: 'other=1',
      custom: 'c',
    })
  })

  it('answers, with headers of the host and without those that it may not set', async (test) => {
    const host = await startStages(test, {
      guard: stage(`return { status = 418, json = { a = 1 },
        headers = { ["X-Own"] = "yes", ["Set-Cookie"] = "admin=1", ["access-control-allow-origin"] = "*" } }`),
    })
    const response = await fetch(`${host.url}/echo/x`)
    assert.equal(response.status, 418)
    assert.deepEqual(await response.json(), { a: 1 })
    assert.equal(response.headers.get('x-own'), 'yes')
    assert.equal(response.headers.get('set-cookie'), null)
    assert.equal(response.headers.get('access-control-allow-origin'), null)
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
    assert.deepEqual(host.routed, [])
    assert.ok(host.reports.some(([kind]) => kind === 'blocked_header'))
  })

  it('changes headers and path, and is not run again for what it has changed', async (test) => {
    const host = await startStages(test, {
      guard: stage(`
        log.info("run")
        return { request = { path = "/echo/new?x=1", headers = { ["X-Set"] = "v", ["x-gone"] = false } } }`),
    })
    const response = await fetch(`${host.url}/echo/old`, { headers: { 'x-gone': '1', 'x-set': 'client' } })
    const { url, headers } = (await response.json()) as { url: string; headers: Record<string, string> }
    assert.equal(url, '/echo/new?x=1')
    assert.equal(headers['x-set'], 'v')
    assert.equal(headers['x-gone'], undefined)
    assert.equal(host.reports.filter(([kind]) => kind === 'log').length, 1)
    assert.deepEqual(host.routed, ['GET /echo/new?x=1'])
  })

  it('is run for its methods and paths alone, and GET covers HEAD', async (test) => {
    const host = await startStages(test, {
      guard: stage('return { status = 403 }', ', { methods = { "GET" }, paths = { "/echo/a/*" } }'),
    })
    const statusOf = async (method: string, path: string) => (await fetch(host.url + path, { method })).status
    assert.equal(await statusOf('GET', '/echo/a/b'), 403)
    assert.equal(await statusOf('HEAD', '/echo/a/b'), 403)
    assert.equal(await statusOf('GET', '/echo/%61/b'), 403)
    assert.equal(await statusOf('POST', '/echo/a/b'), 200)
    assert.equal(await statusOf('GET', '/echo/a/b/c'), 200)
  })

  it('never sees the administration and leads nobody there', async (test) => {
    const host = await startStages(test, {
      guard: stage('return { request = { path = "/api/v1/%61dmin/plugins/guard/approve" } }'),
    })
    assert.equal((await fetch(`${host.url}/api/v1/admin/plugins`)).status, 200)
    const response = await fetch(`${host.url}/echo/x`, { method: 'POST' })
    assert.equal(response.status, 503)
    assert.deepEqual(host.routed, ['GET /api/v1/admin/plugins'])
  })

  it('does not run without an approval of its methods and paths', async (test) => {
    const asked: string[] = []
    const host = await startStages(
      test,
      {
        guard: stage('return { status = 403 }', ', { methods = { "POST", "GET" }, paths = { "/echo/**" } }'),
      },
      { isApproved: (_plugin, key) => asked.push(key) === 0 },
    )
    assert.equal((await fetch(`${host.url}/echo/x`)).status, 200)
    assert.deepEqual([...new Set(asked)], ['on_request GET,POST /echo/**'])
    assert.equal(host.engine.stages(), host.engine.stages())
  })
})

describe('a stage that misbehaves', () => {
  const attacks: Readonly<Record<string, string>> = {
    'a text': 'return "ok"',
    'a boolean': 'return true',
    'an empty table': 'return {}',
    'headers alone': 'return { headers = { a = "1" } }',
    'an answer and a change': 'return { status = 200, request = {} }',
    'a status out of range': 'return { status = 101 }',
    'a body with status 204': 'return { status = 204, body = "x" }',
    'line breaks in a header of an answer':
      'return { status = 200, headers = { a = "b\\r\\nset-cookie: x=1" } }',
    'line breaks in a header of a request': 'return { request = { headers = { a = "b\\r\\nhost: evil" } } }',
    'a line break in a name': 'return { request = { headers = { ["a\\nb"] = "c" } } }',
    'a nul': 'return { request = { headers = { a = "b\\0" } } }',
    'the host': 'return { request = { headers = { Host = "evil" } } }',
    'an identity': 'return { request = { headers = { ["X_Identity"] = "{}" } } }',
    credentials: 'return { request = { headers = { authorization = "Bearer x" } } }',
    'no credentials': 'return { request = { headers = { Authorization = false } } }',
    'a cookie': 'return { request = { headers = { cookie = "a=1" } } }',
    'an address': 'return { request = { headers = { ["x-forwarded-for"] = "127.0.0.1" } } }',
    'a length': 'return { request = { headers = { ["content-length"] = "0" } } }',
    'an encoding': 'return { request = { headers = { ["transfer-encoding "] = "chunked" } } }',
    'another host': 'return { request = { path = "http://evil.example/" } }',
    'a host after two slashes': 'return { request = { path = "//evil.example/x" } }',
    'a backslash': 'return { request = { path = "/\\\\evil" } }',
    'dot segments': 'return { request = { path = "/echo/%2e%2e/api" } }',
    'a line break in the path': 'return { request = { path = "/echo/x\\r\\nhost: a" } }',
    'a path that cannot be decoded': 'return { request = { path = "/echo/%zz" } }',
    'a body of the request': 'return { request = { body = "x" } }',
    'a huge header': 'return { request = { headers = { a = string.rep("x", 9000) } } }',
    'many headers':
      'local h = {} for i = 1, 60 do h["x" .. i] = "1" end return { request = { headers = h } }',
    'a huge path': 'return { request = { path = "/" .. string.rep("x", 5000) } }',
    'a huge answer': 'return { status = 200, body = string.rep("x", 20 * 1024 * 1024) }',
    'a table that contains itself': 'local t = {} t.headers = t return { request = t }',
    'endless recursion': 'local function f() return 1 + f() end return f()',
    'a metatable': 'return setmetatable({}, { __index = function() return 200 end })',
    'an error with a secret': 'error("the secret of Lua")',
    'the network': 'request.get("https://example.com/")',
    'tables of the host': 'core.query("content_data", {})',
  }
  it('answers 503 without a word of Lua, and nothing is routed', async (test) => {
    const bodies = Object.values(attacks)
    const pluginOf = (from: number) =>
      bodies
        .slice(from, from + 18)
        .map((body, at) => stage(body, `, { paths = { "/echo/${from + at}" } }`))
        .join('\n')
    const host = await startStages(test, { one: pluginOf(0), two: pluginOf(18) })
    assert.equal(host.engine.stages().length, bodies.length)
    for (const [at, name] of Object.keys(attacks).entries()) {
      const response = await fetch(`${host.url}/echo/${at}`)
      const text = await response.text()
      assert.equal(response.status, 503, `${name}: ${text}`)
      assert.equal((JSON.parse(text) as { code: string }).code, unavailable, name)
      assert.doesNotMatch(text, /secret|init\.lua|evil/, name)
      assert.equal(response.headers.get('set-cookie'), null, name)
    }
    assert.deepEqual(host.routed, [])
    const failed = host.lines.filter(([, message]) => message.startsWith('a stage failed'))
    assert.equal(failed.length, bodies.length, 'each for a reason of its own')
  })

  it('is ended when it spins, and skipped once its breaker is open', async (test) => {
    const host = await startStages(test, { guard: stage('while true do end', ', { timeout_ms = 50 }') })
    for (let at = 0; at < 3; at += 1) {
      assert.equal(await codeOf(await fetch(`${host.url}/echo/x`)), unavailable)
    }
    const [listed] = host.pipeline.list()
    assert.equal(listed?.name, 'plugin:guard/request-1')
    assert.equal(listed?.breaker, 'open')
    assert.equal(listed?.fail, 'closed')
    assert.equal(await codeOf(await fetch(`${host.url}/echo/x`)), unavailable)
    assert.equal(host.lines.filter(([, message]) => message.includes('is paused')).length, 1)
    assert.equal(host.lines.filter(([, message]) => message.startsWith('a stage failed;')).length, 1)
    assert.deepEqual(host.routed, [])
  })

  it('lets requests go on when it fails open', async (test) => {
    const host = await startStages(test, { guard: stage('error("no")', ', { fail = "open" }') })
    for (let at = 0; at < 5; at += 1) assert.equal((await fetch(`${host.url}/echo/x`)).status, 200)
    assert.equal(host.routed.length, 5)
    assert.equal(host.pipeline.list()[0]?.breaker, 'open')
  })
})

it('a reload under requests loses none, and none gets past the stage', async (test) => {
  const text = (status: number) => `
    plugin_info = { name = "guard", version = "1.0.0", description = "a stage" }
    ${stage(`return { status = ${status} }`)}`
  const host = await startStages(test, { guard: stage('return { status = 401 }') })
  const statuses = new Set<number>()
  let isOver = false
  const load = async () => {
    while (!isOver) statuses.add((await fetch(`${host.url}/echo/x`)).status)
  }
  const running = [load(), load(), load()]
  for (const status of [402, 403]) {
    await host.write('guard', text(status))
    await host.manager.reload('guard', 'tester')
  }
  assert.equal((await fetch(`${host.url}/echo/x`)).status, 403)
  isOver = true
  await Promise.all(running)
  for (const status of statuses) assert.ok([401, 402, 403].includes(status), String(status))
  assert.deepEqual(host.routed, [])
})
