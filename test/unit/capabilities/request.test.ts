import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { outboundLimits } from '../../../src/base/limits/outbound.js'
import { phases } from '../../../src/sandbox/phase.js'
import { RequestVm } from '../../helpers/request-vm.js'

const url = '"https://api.example.com/v1"'

async function refusal(init: string): Promise<string> {
  const { loaded } = await RequestVm.load(init)
  assert.ok(!loaded.ok, `it loaded: ${init}`)
  return loaded.message
}

describe('request.register', () => {
  it('registers a domain in lower case with its description, once', async () => {
    const { vm } = await RequestVm.create(`
      request.register("API.Example.com", { description = "Rates." })
      request.register("api.example.com", { description = "Again." })
      request.register("127.0.0.1")
      request.register("xn--mnchen-3ya.example")
    `)
    assert.deepEqual(vm.registrations, [
      { kind: 'domain', key: 'api.example.com', data: { description: 'Rates.' } },
      { kind: 'domain', key: '127.0.0.1', data: { description: '' } },
      { kind: 'domain', key: 'xn--mnchen-3ya.example', data: { description: '' } },
    ])
  })

  it('refuses what is no exact host', async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /it is empty/],
      ['https://api.example.com', /scheme/],
      ['api.example.com/v1', /path/],
      ['api.example.com:443', /port/],
      ['[::1]', /port|letters/],
      ['*.example.com', /wildcard/],
      ['localhost', /at least one dot/],
      ['api_x.example.com', /letters, digits/],
      ['münchen.example', /letters, digits/],
      ['a b.example', /letters, digits/],
      ['user@example.com', /letters, digits/],
      ['example.com.', /no URL has this host/],
      ['.example.com', /no URL has this host/],
      ['a..example', /no URL has this host/],
      ['0x7f.1', /no URL has this host/],
      ['127.1', /no URL has this host/],
      ['1.2.3.4.5', /no URL has this host/],
      [`${'a'.repeat(64)}.example`, /no URL has this host/],
      [`${'a.'.repeat(126)}aa`, /254 characters; the limit is 253/],
    ]
    for (const [domain, message] of cases) {
      const shown = await refusal(`request.register(${JSON.stringify(domain)})`)
      assert.match(shown, /invalid domain/, domain)
      assert.match(shown, message, domain)
    }
    assert.match(await refusal('request.register("\\255\\254.example")'), /invalid domain/)
    assert.match(await refusal('request.register(nil)'), /string expected/)
  })

  it('refuses more domains than a plugin may have, but not one that it has already', async () => {
    const { domainsMax } = outboundLimits
    const many = (count: number) => `for n = 1, ${count} do request.register("d" .. n .. ".example") end`
    const lua = await RequestVm.create(`${many(domainsMax)} request.register("d1.example")`)
    assert.equal(lua.vm.registrations.length, domainsMax)
    assert.match(await refusal(many(domainsMax + 1)), /maximum domain registration limit reached.*50/)
  })

  it('refuses a description that is no text, or too long', async () => {
    assert.match(await refusal('request.register("a.example", { description = 7 })'), /must be UTF-8 text/)
    assert.match(await refusal('request.register("a.example", "x")'), /options must be a table/)
    const text = `("x"):rep(${outboundLimits.descriptionCharactersMax + 1})`
    assert.match(await refusal(`request.register("a.example", { description = ${text} })`), /limit is 500/)
  })

  it('works only at module scope', async () => {
    const lua = await RequestVm.create()
    for (const phase of ['init', 'request', 'after_hook', 'before_hook', 'shutdown'] as const)
      assert.match(await lua.error('request.register("a.example")', phase), /must be called at module scope/)
  })
})

describe('request.send', () => {
  it('asks the host with what Lua gave', async () => {
    const lua = await RequestVm.create()
    await lua.run(`request.send("post", "HTTPS://API.example.com:8443/a?b#c", {
      headers = { ["X-A"] = "v", ["X-N"] = 7 }, json = { n = 1, list = json.array() }, timeout = 2.5 })`)
    assert.equal(lua.asked.length, 1)
    const { topic, request } = lua.asked[0] ?? assert.fail()
    assert.equal(topic, 'request.send')
    assert.equal(Buffer.from(request.body ?? []).toString(), '{"list":[],"n":1}')
    assert.deepEqual(
      { ...request, headers: [...request.headers].sort(), body: undefined },
      {
        method: 'POST',
        target: { scheme: 'https', host: 'api.example.com', port: 8443, path: '/a?b' },
        headers: ['7', 'X-A', 'X-N', 'v'],
        body: undefined,
        bodyBytes: 17,
        isJson: true,
        timeoutMs: 2500,
      },
    )
  })

  it('sends bytes as they are, and of a body that is too large only its size', async () => {
    const lua = await RequestVm.create()
    await lua.run(`request.put(${url}, { body = "\\0\\255\\r\\nä" })
      request.put(${url}, { body = ("x"):rep(1001) }) request.get(${url}, { timeout = 0 })`)
    const [bytes, large, none] = lua.asked.map(({ request }) => request)
    assert.equal(Buffer.from(bytes?.body ?? []).toString('hex'), '00ff0d0ac3a4')
    assert.deepEqual([large?.body, large?.bodyBytes], [undefined, 1001])
    assert.deepEqual([none?.body, none?.bodyBytes, none?.timeoutMs], [undefined, 0, 1000])
  })

  it('gives status, body and headers', async () => {
    const lua = await RequestVm.create()
    const body = Uint8Array.from([0, 255, 0xc3, 0x28])
    lua.answer = { status: 404, headers: ['x-a', 'v', '__proto__', 'p', 'content-type', 'text/plain'], body }
    const [status, text, length, header, proto, parsed, error] = await lua.run(`
      local r = request.get(${url}, { parse_json = true })
      return r.status, r.body, #r.body, r.headers["x-a"], r.headers.__proto__, r.json, r.error`)
    assert.deepEqual([status, length, header, proto, parsed, error], [404, 4, 'v', 'p', undefined, undefined])
    assert.deepEqual(Buffer.from(text as Uint8Array), Buffer.from(body))
    assert.deepEqual(await lua.run(`return request.get(${url}).body == ""`), [false])
  })

  it('gives what went wrong as a value', async () => {
    const lua = await RequestVm.create()
    lua.answer = { error: 'domain not approved: api.example.com' }
    const [error, others] = await lua.run(`
      local r = request.get(${url})
      return r.error, r.status == nil and r.body == nil and r.headers == nil`)
    assert.deepEqual([error, others], ['domain not approved: api.example.com', true])
  })

  it('decodes JSON where that is wanted and what it says it is', async () => {
    const lua = await RequestVm.create()
    const decoded = async (type: string, text: string | Uint8Array, options = '{ parse_json = true }') => {
      lua.answer = { status: 200, headers: ['content-type', type], body: Buffer.from(text) }
      const [value] = await lua.run(`local r = request.get(${url}, ${options})
        return r.json ~= nil and json.encode(r.json) or "nothing", r.body`)
      return value
    }
    const json = 'application/json'
    assert.equal(await decoded(json, '{"a":[1,null]}'), '{"a":[1,null]}')
    assert.equal(await decoded('Application/JSON; charset=utf-8', '[]'), '[]')
    assert.equal(await decoded(json, '9007199254740993'), '9007199254740993')
    assert.equal(await decoded(json, '{"__proto__":{"x":1}}'), '{"__proto__":{"x":1}}')
    for (const text of ['', 'null', '{', '[1,]', '"\\ud800', Uint8Array.of(0x22, 0xff, 0x22)])
      assert.equal(await decoded(json, text), 'nothing', String(text))
    assert.equal(await decoded('text/json', '{}'), 'nothing')
    assert.equal(await decoded(json, '{}', '{}'), 'nothing')
    assert.equal(await decoded(json, '{}', '{ parse_json = false }'), 'nothing')
  })

  it('never raises because of what a server has sent', async () => {
    const lua = await RequestVm.create()
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    for (const text of [
      nested(62),
      nested(63),
      nested(64),
      nested(65),
      nested(5000),
      `[${'[],'.repeat(400_000)}1]`,
    ]) {
      lua.answer = { status: 200, headers: ['content-type', 'application/json'], body: Buffer.from(text) }
      const [status, length] = await lua.run(
        `local r = request.get(${url}, { parse_json = true }) return r.status, #r.body`,
      )
      assert.deepEqual([status, length], [200, text.length])
    }
  })

  it('raises for misuse, before the host is asked', async () => {
    const lua = await RequestVm.create()
    const cases: readonly (readonly [string, RegExp])[] = [
      [`request.send("TRACE", ${url})`, /request\.send: invalid HTTP method "TRACE"/],
      [`request.send("GET\\r\\n", ${url})`, /invalid HTTP method/],
      ['request.get("api.example.com/v1")', /request\.get: invalid URL: it needs a scheme and host/],
      ['request.get("")', /scheme and host/],
      ['request.get("https://u:p@api.example.com/")', /userinfo/],
      ['request.get("https://api.example.com\\r\\nX: y/")', /control character/],
      ['request.get("\\255")', /scheme and host/],
      [`request.post(${url}, { body = "x", json = {} })`, /mutually exclusive/],
      [`request.post(${url}, { json = print })`, /function/],
      [`request.post(${url}, { json = 0/0 })`, /json: .*cannot be encoded/],
      [`request.post(${url}, { body = {} })`, /body must be a string/],
      [`request.get(${url}, { header = {} })`, /unknown option "header"; known are headers, body/],
      [`request.get(${url}, "x")`, /options must be a table/],
      [`request.get(${url}, { headers = "x" })`, /headers must be a table/],
      [`request.get(${url}, { headers = { "x" } })`, /headers must be a table/],
      [`request.get(${url}, { headers = { a = true } })`, /header "a" must be UTF-8 text/],
      [`request.get(${url}, { headers = { a = "\\255" } })`, /header "a" must be UTF-8 text/],
      [`request.get(${url}, { timeout = "x" })`, /timeout must be a number/],
      [`request.get(${url}, { parse_json = 1 })`, /parse_json must be a boolean/],
      ['request.get()', /string expected/],
    ]
    for (const [code, message] of cases) assert.match(await lua.error(code), message, code)
    assert.equal(lua.asked.length, 0)
  })

  it('raises where other servers must not decide what happens', async () => {
    const lua = await RequestVm.create()
    const fragments: Readonly<Record<string, RegExp>> = {
      init: /request\.get is not allowed in on_init/,
      shutdown: /not allowed in on_shutdown/,
      before_hook: /not allowed inside before-hooks/,
      stage: /not allowed in a stage of the gateway/,
      module: /not allowed at module scope/,
      manifest: /not allowed at module scope/,
    }
    for (const phase of phases) {
      const code = `return request.get(${url}).status`
      const fragment = fragments[phase]
      if (fragment === undefined) assert.deepEqual(await lua.run(code, phase), [200], phase)
      else assert.match(await lua.error(code, phase), fragment)
    }
    assert.match(await lua.error(`locks.hold() request.get(${url})`), /not allowed inside db\.transaction/)
  })

  it('costs an operation', async () => {
    const lua = await RequestVm.create()
    assert.match(await lua.error(`for _ = 1, 21 do request.get(${url}) end`), /operation limit/)
    assert.equal(lua.asked.length, 20)
  })

  it('reports headers that are left out', async () => {
    const lua = await RequestVm.create()
    await lua.run(`request.get(${url}, { headers = { Host = "x", ["X-A"] = "y" } })`)
    assert.deepEqual(lua.reports, [['blocked_request_header', { name: 'Host' }]])
  })

  it('has a shortcut for each usual method', async () => {
    const lua = await RequestVm.create()
    for (const name of ['get', 'post', 'put', 'delete', 'patch']) await lua.run(`request.${name}(${url})`)
    assert.deepEqual(
      lua.asked.map(({ request }) => request.method),
      ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'],
    )
  })
})
