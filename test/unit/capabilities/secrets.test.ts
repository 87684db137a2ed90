import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stageKinds } from '../../../src/capabilities/gateway/call-kinds.js'
import { encodeStageCall, stageCallKinds } from '../../../src/capabilities/gateway/wire.js'
import { createHookKind } from '../../../src/capabilities/hooks/call-kind.js'
import { encodeHookCall } from '../../../src/capabilities/hooks/wire.js'
import type { VmResult } from '../../../src/sandbox/vm.js'
import { plainRequest, ToolVm } from '../../helpers/tool-vm.js'

const secret = 'whsec_9f8e7d6c5b4a'
const secrets = { api_key: secret, unset: null }

const create = (init = ''): Promise<ToolVm> => ToolVm.create(init, { secrets })

describe('secrets.get', () => {
  it('gives values, and nil for those that have none', async () => {
    const lua = await create()
    assert.deepEqual(
      await lua.run(
        'local key, none = secrets.get("api_key"), secrets.get("unset") return #key, none == nil',
      ),
      [secret.length, true],
    )
    assert.deepEqual(await lua.run(`return secrets.get("api_key") == "${secret}"`), [true])
  })

  it('raises for names that the manifest does not list', async () => {
    const lua = await create()
    for (const name of ['other', '', 'API_KEY', 'constructor', '__proto__', 'toString', '\\255']) {
      assert.match(
        await lua.error(`return secrets.get("${name}")`),
        /the manifest has no secret ".*": list its name/,
      )
    }
    assert.match(await lua.error('return secrets.get(nil)'), /string expected/)
    const none = await ToolVm.create()
    assert.match(await none.error('return secrets.get("api_key")'), /the manifest has no secret "api_key"/)
  })

  it('gives nothing at module scope', async () => {
    await assert.rejects(create('key = secrets.get("api_key")'), /not allowed at module scope/)
  })
})

describe('what a plugin says', () => {
  it('shows no secrets in its log', async () => {
    const lua = await create()
    await lua.run(`
      local key = secrets.get("api_key")
      log.info("key " .. key .. " again " .. key)
      log.warn("context", { key = key, [key] = 1, nested = { key, { deep = "Bearer " .. key } }, n = 5 })
      log.error(key .. "\\255")
      log.info(string.rep("x", 4090) .. key)
      log.info("context", { text = string.rep("x", 1020) .. key, list = { string.rep("y", 1010) .. key } })
      log.info("coded " .. crypto.base64_encode("user:" .. key) .. " " .. crypto.hex_encode(key))
      print("printed", key)
    `)
    const shown = JSON.stringify(lua.lines)
    assert.equal(lua.lines.length, 7)
    assert.equal(lua.lines[0]?.message, 'key *** again ***')
    assert.equal(lua.lines[1]?.fields.key, '***')
    assert.equal(lua.lines[1]?.fields.n, '5')
    assert.match(lua.lines[6]?.message ?? '', /printed\\t\\*\\*\\*|printed\t\*\*\*/)
    for (let at = 0; at + 8 <= secret.length; at += 1)
      assert.ok(!shown.includes(secret.slice(at, at + 8)), shown)
    assert.ok(!shown.includes(Buffer.from(secret).toString('hex')))
    assert.ok(!shown.includes(Buffer.from(`user:${secret}`).toString('base64').slice(8, 20)))
  })

  it('shows no secrets in its errors', async () => {
    const lua = await create()
    const codes = [
      'error("failed with " .. secrets.get("api_key"))',
      'error(secrets.get("api_key"), 0)',
      'local t = {} t[secrets.get("api_key")].x = 1',
      'json.decode(secrets.get("api_key"))',
      'secrets.get(secrets.get("api_key"))',
      'crypto.sha256("", { [secrets.get("api_key")] = 1 })',
      'log[secrets.get("api_key")]()',
      'coroutine.wrap(function() error(secrets.get("api_key")) end)()',
    ]
    for (const code of codes) {
      const message = await lua.error(code)
      assert.ok(!message.includes(secret.slice(0, 12)), message)
    }
    assert.match(await lua.error(codes[0] ?? ''), /failed with \*\*\*$/)
  })

  it('shows no secrets in its metrics', async () => {
    const lua = await create('calls = metrics.counter("calls_total", { labels = { "key" } })')
    await lua.run('calls:inc(1, { key = "k-" .. secrets.get("api_key") })')
    assert.deepEqual(
      lua.measured.flatMap(({ series }) => series.map(({ labels }) => labels)),
      [['k-***']],
    )
  })
})

/** Asserts that an answer was withheld, and that nothing of the secret crosses. */
function assertWithheld(result: VmResult, what: string): void {
  assert.ok(!result.ok, `it was answered: ${what}`)
  assert.equal(result.code, 'SECRET_IN_RESPONSE', what)
  assert.match(result.message, /has the secret "api_key"/)
  assert.ok(!JSON.stringify(result).includes(secret))
}

describe('an answer', () => {
  const answers = [
    '{ json = { key = key } }',
    '{ json = { key } }',
    '{ json = { [key] = 1 } }',
    '{ body = "x" .. key .. "y" }',
    '{ body = "\\255" .. key }',
    '{ body = crypto.base64_encode("user:" .. key) }',
    '{ body = crypto.base64url_encode("us:" .. key .. "?") }',
    '{ body = crypto.hex_encode(key) }',
    '{ body = crypto.hex_encode(key):upper() }',
    '{ body = string.rep("x", 3000000) .. key }',
    '{ status = 302, headers = { Location = "/?k=" .. key } }',
    '{ headers = { ["X-Key"] = "Basic " .. crypto.base64_encode("a:" .. key) } }',
    '{ status = 500, json = { error = "upstream said " .. key } }',
  ]

  it('of a route is withheld when it has a secret', async () => {
    for (const answer of answers) {
      const lua = await create(
        `http.handle("GET", "/x", function() local key = secrets.get("api_key") return ${answer} end)`,
      )
      assertWithheld(await lua.respond(), answer)
    }
  })

  it('of a route is withheld whoever has read the secret', async () => {
    const lua = await create('http.handle("GET", "/x", function(req) return { body = req.query.q } end)')
    assertWithheld(await lua.respond({ ...plainRequest, query: `q=${secret}` }), 'an echo')
    const echoed = await lua.respond({ ...plainRequest, query: `q=${secret.slice(1)}` })
    assert.ok(echoed.ok)
  })

  it('of a middleware is withheld', async () => {
    const lua = await create(`
      http.use(function(req, next) return { body = secrets.get("api_key") } end)
      http.handle("GET", "/x", function() return { body = "" } end)`)
    assertWithheld(await lua.respond(), 'a middleware')
  })

  it('without secrets passes, also one that is signed with them', async () => {
    const lua = await create(`
      http.handle("GET", "/x", function()
        local key = secrets.get("api_key")
        return { body = crypto.hmac_sha256(key, "data"), headers = { ["X-Length"] = #key } }
      end)`)
    const result = await lua.respond()
    assert.ok(result.ok, JSON.stringify(result))
    assert.match(String(result.values[2]), /^[0-9a-f]{64}$/)
  })

  it('leaves the VM well', async () => {
    const lua = await create(`
      http.handle("GET", "/x", function(req)
        return { body = req.query.ok and "fine" or secrets.get("api_key") }
      end)`)
    for (let round = 0; round < 3; round += 1) {
      assertWithheld(await lua.respond(), 'a round')
      assert.ok((await lua.respond({ ...plainRequest, query: 'ok=1' })).ok)
    }
    assert.equal(lua.vm.dead, undefined)
  })
})

describe('a stage of the gateway', () => {
  const kindOf = (name: string) => stageKinds.find((kind) => kind.name === name) ?? assert.fail(name)
  const request = { ...plainRequest, routeKey: 'leak' }

  it('cannot answer with a secret, but may send one on', async () => {
    for (const answer of [
      '{ status = 200, body = key }',
      '{ status = 200, body = "", headers = { ["X-K"] = key } }',
    ]) {
      const lua = await create(`
        gateway.on_request(function() local key = secrets.get("api_key") return ${answer} end, { name = "leak", priority = 100 })`)
      assertWithheld(await lua.call(kindOf(stageCallKinds.request), encodeStageCall({ request })), answer)
    }
    const lua = await create(`
      gateway.on_request(function()
        return { request = { headers = { ["X-Upstream-Key"] = "Bearer " .. secrets.get("api_key") } } }
      end, { name = "leak", priority = 100 })`)
    const sent = await lua.call(kindOf(stageCallKinds.request), encodeStageCall({ request }))
    assert.ok(sent.ok, JSON.stringify(sent))
    assert.ok(JSON.stringify(sent.values).includes(secret))
  })

  it('cannot put a secret into the answers of others', async () => {
    const seen = { request, answer: { status: 200, headers: [], hasBody: true } }
    for (const change of [
      '{ body = "<" .. key .. ">" }',
      '{ json = { key } }',
      '{ headers = { ["X-K"] = key } }',
    ]) {
      const lua = await create(`
        gateway.on_response(function() local key = secrets.get("api_key") return ${change} end, { name = "leak", priority = 100 })`)
      assertWithheld(await lua.call(kindOf(stageCallKinds.response), encodeStageCall(seen), 'body'), change)
    }
  })
})

describe('a hook', () => {
  it('cannot answer with a secret, nor put one into rows or refusals', async () => {
    const cases: readonly (readonly [string, string])[] = [
      ['before_read', '{ status = 200, json = { key } }'],
      ['before_read', '{ status = 200, headers = { ["x-k"] = key } }'],
      ['after_read', '{ headers = { ["x-k"] = key } }'],
      ['before_create', '{ deny = true, message = key }, key'],
      ['before_create', '{ set = { title = key } }'],
    ]
    for (const [event, answer] of cases) {
      const lua = await create(`
        hooks.on("${event}", "articles", function() local key = secrets.get("api_key") return ${answer} end)`)
      const [registration] = lua.vm.registrations
      const payload = encodeHookCall({ key: registration?.key ?? '', json: '{}' })
      const result = await lua.call(createHookKind(), payload)
      if (result.ok) assert.ok(!JSON.stringify(result.values).includes(secret), `${event} ${answer}`)
      else assertWithheld(result, `${event} ${answer}`)
    }
  })
})
