import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Exchange } from '../../../../src/gateway/exchange.js'
import { usualCredentials } from '../../../../src/identity/credentials.js'
import { useStageHost } from '../../../helpers/stage-host.js'

// A function for keys that never ends takes all of this time.
const startStages = useStageHost({ timeoutMs: 1500 })

/** An init.lua with one stage for answers whose function has this body. */
const stage = (body: string, options = ''): string =>
  `gateway.on_response(function(req, res)\n${body}\nend${options})`

describe('a stage for answers', () => {
  it('sees status, headers without cookies, and text', async (test) => {
    const host = await startStages(test, {
      look: stage(`log.info("seen", { status = math.type(res.status) .. res.status, etag = res.headers.etag, cookie = res.headers["set-cookie"],
        body = type(res.body), path = req.path })`),
    })
    const response = await fetch(`${host.url}/echo/x`)
    assert.equal(response.headers.get('set-cookie'), 'modulacms_session=secret')
    const [, line] = host.reports.find(([kind]) => kind === 'log') ?? []
    assert.deepEqual((line as { fields: unknown }).fields, {
      status: 'integer200',
      etag: '"1"',
      body: 'string',
      path: '/echo/x',
    })
  })

  it('changes status, headers and body, of which the old validators no longer speak', async (test) => {
    const host = await startStages(test, {
      look: stage(`return { status = 201, json = { ok = true },
        headers = { ["x-a"] = "1", ["content-type"] = false, ["Set-Cookie"] = false, ["cache-control"] = "public" } }`),
    })
    const response = await fetch(`${host.url}/echo/x`)
    assert.equal(response.status, 201)
    assert.deepEqual(await response.json(), { ok: true })
    assert.equal(response.headers.get('content-type'), 'application/json')
    assert.equal(response.headers.get('x-a'), '1')
    assert.equal(response.headers.get('etag'), null)
    assert.equal(response.headers.get('cache-control'), null)
    assert.equal(response.headers.get('set-cookie'), 'modulacms_session=secret')
  })

  it('sends an answer as it is when it fails, unless it fails closed: then nothing of it is left', async (test) => {
    const body = 'error("the secret of Lua")'
    const open = await startStages(test, { look: stage(body) })
    assert.equal((await fetch(`${open.url}/echo/x`)).status, 200)
    const closed = await startStages(test, { look: stage(body, ', { fail = "closed" }') })
    const response = await fetch(`${closed.url}/echo/hidden`)
    const text = await response.text()
    assert.equal(response.status, 503)
    assert.match(text, /GATEWAY_STAGE_UNAVAILABLE/)
    assert.doesNotMatch(text, /secret|hidden/)
    assert.equal(response.headers.get('set-cookie'), null)
    assert.equal(response.headers.get('etag'), null)
  })

  it('does not see the administration', async (test) => {
    const host = await startStages(test, { look: stage('return { status = 500, body = "x" }') })
    const response = await fetch(`${host.url}/api/v1/admin/plugins`)
    assert.deepEqual(await response.json(), { admin: true })
  })

  for (const [name, body] of Object.entries({
    'line breaks': 'return { headers = { a = "b\\r\\nc: d" } }',
    'a body without a place': 'return { status = 304, body = "x" }',
    'a status out of range': 'return { status = 600 }',
    'a text': 'return "x"',
    'a header that is a table': 'return { headers = { a = {} } }',
  })) {
    it(`cannot give ${name}`, async (test) => {
      const host = await startStages(test, { look: stage(body, ', { fail = "closed" }') })
      const response = await fetch(`${host.url}/echo/x`)
      assert.equal(response.status, 503)
      assert.match(await response.text(), /GATEWAY_STAGE_UNAVAILABLE/)
    })
  }
})

it('a stage has the tables of its plugin, within its few operations', async (test) => {
  const host = await startStages(test, {
    look: `
      function on_init() db.define_table("notes", { columns = { { name = "text", type = "text" } } }) end
      gateway.on_request(function(req)
        for i = 1, tonumber(req.query.times) do db.count("notes") end
      end)`,
  })
  assert.equal((await fetch(`${host.url}/echo/x?times=10`)).status, 200)
  assert.equal((await fetch(`${host.url}/echo/x?times=200`)).status, 503)
  const [, , fields] = host.lines.find(([, message]) => message.startsWith('a stage failed')) ?? []
  assert.match(String(fields?.error), /operation/)
})

describe('a function for keys', () => {
  const plugin = `
    gateway.key_by("tenant", function(req) return req.headers["x-tenant-id"] end)
    gateway.key_by("broken", function(req) return 7 end)
    gateway.key_by("slow", function(req) while true do end end)`

  it('gives the key of a request, and none where it fails', async (test) => {
    const host = await startStages(test, { keys: plugin })
    const exchange = {
      method: 'GET',
      path: '/x',
      query: '',
      ip: '192.0.2.7',
      user: undefined,
      credentials: usualCredentials,
      request: { id: 'r1', raw: { rawHeaders: ['X-Tenant-Id', 'acme'] } },
    } as unknown as Exchange
    assert.equal(await host.engine.keyFunction('keys/tenant')?.(exchange), 'acme')
    assert.equal(await host.engine.keyFunction('keys/broken')?.(exchange), undefined)
    assert.equal(await host.engine.keyFunction('keys/slow')?.(exchange), undefined)
    assert.equal(host.engine.keyFunction('keys/other'), undefined)
    assert.equal(host.engine.keyFunction('tenant'), undefined)
  })

  it('is none without an approval', async (test) => {
    const isApproved = (_plugin: string, key: string) => key !== 'key_by tenant'
    const host = await startStages(test, { keys: plugin }, { isApproved })
    assert.equal(host.engine.keyFunction('keys/tenant'), undefined)
    assert.notEqual(host.engine.keyFunction('keys/slow'), undefined)
  })
})
