import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'
import { openRaw } from '../helpers/raw-connection.js'
import { rawRequest, sendRaw } from '../helpers/raw-http.js'

/** A token says who it is for: `who_<type>.<id>.<tenant>.<roles>`, with `-` for nothing. */
const badges = plugin(
  'badges',
  `auth.authenticator("badge", function(req)
  local type, id, tenant, roles = req.bearer:match("^who_(%w+)%.([%w_]+)%.([%w-]+)%.([%w,-]+)$")
  if type == nil then return auth.fail() end
  local list = {}
  for role in roles:gmatch("%w+") do list[#list + 1] = role end
  return auth.identity({ type = type, id = id, tenant_id = tenant ~= "-" and tenant or nil, roles = list })
end, { bearer = "who_" })`,
)

const reached =
  'function(req) log.info("reached") return { json = { id = req.identity.id, method = req.method } } end'

const reports = plugin(
  'reports',
  `http.use(function(req) if req.headers["x-stop"] then return { status = 299, body = "by middleware" } end end)
http.handle("GET", "/any", ${reached})
http.handle("GET", "/roles", ${reached}, { auth = auth.require({ roles = { "analyst", "editor" } }) })
http.handle("GET", "/tenant", ${reached}, { auth = auth.require({ tenant = true }) })
http.handle("GET", "/types", ${reached}, { auth = auth.require({ types = { "user", "key" } }) })
http.handle("GET", "/operators", ${reached}, { auth = auth.require({ permissions = { "content:read", "content:write" } }) })
http.handle("GET", "/token", ${reached}, { auth = auth.require({ authenticators = { "admin-token" } }) })
http.handle("POST", "/all/{id}", ${reached},
  { auth = auth.require({ roles = { "analyst" }, tenant = true, types = { "user" }, authenticators = { "badge" } }) })
http.handle("GET", "/files/{path...}", ${reached}, { auth = auth.require({ roles = { "analyst" } }) })
http.handle("GET", "/files/open/{path...}", ${reached})`,
)

const root = '/api/v1/plugins/reports'
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const analyst = 'who_user.ann.acme.analyst'

/** Asks again while the plugin that knows the tokens has no time, as on a machine with much else to do. */
async function outcomeOf(
  server: TestHost,
  method: string,
  target: string,
  token?: string,
  headers: Record<string, string> = {},
): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    const answer = await server.send(method, `${root}${target}`, {
      headers: { ...(token === undefined ? {} : bearer(token)), ...headers },
    })
    if (answer.status < 300) return String(answer.status)
    const { error, code } = JSON.parse(answer.text || '{}') as Failure
    if (code === 'AUTH_UNAVAILABLE' && tries < 50) continue
    return typeof error === 'object'
      ? `${answer.status} ${error.code} ${error.message}`
      : `${answer.status} ${code}`
  }
}

/** In the form of plugin routes, or in that of the gateway. */
interface Failure {
  readonly error?: string | { readonly code: string; readonly message: string }
  readonly code?: string
}

describe('what routes ask of their callers', () => {
  const server = useHost({ plugins: { 'badges/init.lua': badges, 'reports/init.lua': reports } })

  it('is met by those who have all of it', async () => {
    const host = server()
    const admin = host.host.adminToken.token
    for (const [method, target, token] of [
      ['GET', '/any', 'who_worker.w.-.-'],
      ['GET', '/roles', 'who_worker.w.-.editor'],
      ['GET', '/roles', analyst],
      ['GET', '/tenant', 'who_worker.w.acme.-'],
      ['GET', '/types', 'who_user.u.-.-'],
      ['GET', '/operators', admin],
      ['GET', '/token', admin],
      ['POST', '/all/7', analyst],
      ['GET', '/files/a/b', analyst],
      ['GET', '/files/open/b', 'who_worker.w.-.-'],
    ] as const) {
      assert.equal(await outcomeOf(host, method, target, token), '200', `${method} ${target}`)
    }
  })

  it('is answered 401 without a credential, and 403 with what is missing', async () => {
    const host = server()
    for (const target of ['/any', '/roles', '/tenant', '/types', '/operators', '/token', '/files/x']) {
      assert.match(await outcomeOf(host, 'GET', target), /^401 UNAUTHORIZED/, target)
    }
    for (const [method, target, token, missing] of [
      ['GET', '/roles', 'who_user.u.acme.reader', 'one of the roles analyst, editor'],
      ['GET', '/tenant', 'who_user.u.-.analyst', 'a tenant'],
      ['GET', '/types', 'who_service.s.-.-', 'an identity of the type user or key'],
      ['GET', '/operators', 'who_user.u.-.admin', 'the permission content:read'],
      ['GET', '/token', 'who_user.admin.-.admin', 'a credential of the authenticator admin_token'],
      ['POST', '/all/7', 'who_user.u.-.analyst', 'a tenant'],
      ['POST', '/all/7', 'who_user.u.acme.editor', 'the role analyst'],
      ['POST', '/all/7', 'who_worker.w.acme.analyst', 'an identity of the type user'],
      ['POST', '/all/7', host.host.adminToken.token, 'an identity of the type user'],
    ] as const) {
      const expected = `403 AUTH_DENIED This route needs ${missing}, which you do not have.`
      assert.equal(await outcomeOf(host, method, target, token), expected, `${method} ${target} ${token}`)
    }
  })

  it('lets no code of the plugin run, no middleware either', async () => {
    const host = server()
    const before = host.lines.filter(({ msg }) => msg === 'reached').length
    assert.match(await outcomeOf(host, 'GET', '/roles', undefined, { 'x-stop': '1' }), /^401/)
    assert.match(await outcomeOf(host, 'GET', '/roles', 'who_user.u.-.-', { 'x-stop': '1' }), /^403/)
    assert.equal(await outcomeOf(host, 'GET', '/roles', analyst, { 'x-stop': '1' }), '299')
    assert.equal(host.lines.filter(({ msg }) => msg === 'reached').length, before)
  })

  it('holds for every way to write the method and the path', async () => {
    const host = server()
    const { port } = new URL(host.url)
    const reader = 'Authorization: Bearer who_user.u.-.reader'
    for (const [line, headers] of [
      ['HEAD /roles', []],
      ['OPTIONS /roles', []],
      ['GET /roles/', []],
      ['GET //roles', []],
      ['GET /./roles', []],
      ['GET /x/../roles', []],
      ['GET /%72oles', []],
      ['GET /roles%2f', []],
      ['GET /ROLES', []],
      ['GET /roles;a=b', []],
      ['GET /roles?x=1', []],
      ['GET /files/open/../x', []],
      ['GET /files/open%2f..%2fx', []],
      ['GET /files/open/%2e%2e/x', []],
      ['GET /files//open/x', []],
      ['POST /roles', ['X-HTTP-Method-Override: GET', 'X-HTTP-Method: GET', 'X-Method-Override: GET']],
      ['POST /roles?_method=GET', []],
      ['GET /any', ['X-Original-URL: /api/v1/plugins/reports/roles', 'X-Rewrite-URL: /roles', 'X-Stop: no']],
      ['GET /roles', ['Connection: Upgrade', 'Upgrade: websocket']],
      [
        'GET /roles',
        ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
      ],
      ['GET /roles', ['X-Identity: {"sub":"root","roles":["analyst"]}', 'X_Identity: x']],
      ['GET /roles', ['X-User: root', 'X-Forwarded-User: root', 'Remote-User: root']],
      ['GET /roles', ['Connection: Authorization, close']],
    ] as const) {
      const [method, path] = line.split(' ') as [string, string]
      const before = host.lines.filter(({ msg }) => msg === 'reached').length
      for (const credential of [[], [reader]]) {
        const { text } = await sendRaw(
          Number(port),
          rawRequest(`${method} ${root}${path}`, [
            'Host: x',
            ...credential,
            ...(headers.some((each) => each.startsWith('Connection')) ? [] : ['Connection: close']),
            ...(method === 'POST' ? ['Content-Length: 0'] : []),
            ...headers,
          ]),
        )
        const status = Number(text.slice(9, 12))
        const isOpen = path === '/any' && credential.length > 0
        assert.ok(isOpen ? status === 299 : status >= 400 && status < 500, `${line} ${headers} ${text}`)
      }
      assert.equal(host.lines.filter(({ msg }) => msg === 'reached').length, before, line)
    }
  })

  it('is shown to whoever approves routes', async () => {
    const host = server()
    const { routes } = await host.admin<{ routes: { plugin: string; path: string; requires?: unknown }[] }>(
      'GET',
      '/routes',
    )
    const shown = routes.find(({ path }) => path === '/all/{id}')
    assert.deepEqual(shown?.requires, {
      roles: ['analyst'],
      tenant: true,
      types: ['user'],
      authenticators: ['badge'],
    })
    assert.equal('requires' in (routes.find(({ path }) => path === '/any') ?? {}), false)
    const diff = await host.admin<{ approved: { key: string; description: string }[] }>(
      'GET',
      '/reports/diff',
    )
    assert.equal(
      diff.approved.find(({ key }) => key === 'GET /roles')?.description,
      'needs one of the roles analyst, editor',
    )
  })
})

describe('a route that asks for something else', () => {
  const asking = (auth: string, answer: string) =>
    plugin('reports', `http.handle("GET", "/x", function() return { body = "${answer}" } end${auth})`)
  const roles = (...names: string[]) =>
    `, { auth = auth.require({ roles = { ${names.map((name) => `"${name}"`).join(', ')} } }) }`

  it('is approved anew, whether it asks for more or for less; the order of a list is nothing else', async (test) => {
    const server = await startHost(test, {
      plugins: { 'badges/init.lua': badges, 'reports/init.lua': asking(roles('analyst', 'editor'), 'one') },
    })
    const load = async (auth: string) => {
      await server.write({ 'reports/init.lua': asking(auth, 'two') })
      await server.admin('POST', '/reports/reload')
      return outcomeOf(server, 'GET', '/x', analyst)
    }
    assert.equal(await load(roles('editor', 'analyst')), '200')
    assert.match(await load(roles('analyst')), /^404/)
    await server.approveAll()
    assert.match(await load(''), /^404/)
    const { waiting } = await server.admin<{ waiting: { description: string; approved_before?: unknown }[] }>(
      'GET',
      '/reports/diff',
    )
    assert.deepEqual(
      waiting.map(({ description, approved_before: before }) => [description, before !== undefined]),
      [['needs a credential', true]],
    )
    assert.match(await load(roles('analyst')), /^404/, 'what was withdrawn does not come back by itself')
  })

  it('keeps what it asks for while its plugin cannot be loaded, and after a restart', async (test) => {
    const server = await startHost(test, {
      plugins: { 'badges/init.lua': badges, 'reports/init.lua': asking(roles('analyst'), 'one') },
    })
    await server.restart({ approve: false })
    assert.equal(await outcomeOf(server, 'GET', '/x', analyst), '200')
    await server.write({ 'reports/init.lua': 'this is no Lua' })
    await server.restart()
    assert.match(await outcomeOf(server, 'GET', '/x'), /^401/)
    assert.match(await outcomeOf(server, 'GET', '/x', 'who_user.u.-.-'), /^403/)
    assert.match(await outcomeOf(server, 'GET', '/x', analyst), /^503 PLUGIN_UNAVAILABLE/)
  })

  it('lets nobody through by what it asked before, also when it changes under load', async (test) => {
    const versions = [asking(roles('analyst'), 'analyst'), asking(roles('editor'), 'editor')] as const
    const server = await startHost(test, {
      plugins: { 'badges/init.lua': badges, 'reports/init.lua': versions[0] },
    })
    let isDone = false
    const wrong: string[] = []
    const answered = new Set<string>()
    const asks = ['analyst', 'editor'].map(async (role) => {
      while (!isDone) {
        const answer = await server.send('GET', `${root}/x`, { headers: bearer(`who_user.u.acme.${role}`) })
        if (answer.status === 200) answered.add(answer.text)
        if (answer.status === 200 && answer.text !== role) wrong.push(`${role} read ${answer.text}`)
        if (![200, 403, 404, 503].includes(answer.status)) wrong.push(`${role} got ${answer.status}`)
      }
    })
    for (let at = 1; at <= 6; at += 1) {
      await server.write({ 'reports/init.lua': versions[at % 2] as string })
      await server.admin('POST', '/reports/reload')
      await server.approveAll()
    }
    isDone = true
    await Promise.all(asks)
    assert.deepEqual(wrong, [])
    assert.deepEqual([...answered].sort(), ['analyst', 'editor'])
  })
})

describe('a request whose body comes slowly', () => {
  it('is held against what the route asks when the body is there', async (test) => {
    const source = (role: string) =>
      plugin(
        'reports',
        `http.handle("POST", "/x", function() return { body = "${role}" } end, { auth = auth.require({ roles = { "${role}" } }) })`,
      )
    const server = await startHost(test, { plugins: { 'reports/init.lua': source('admin') } })
    const { token } = server.host.adminToken
    const post = async () => {
      const connection = await openRaw(test, Number(new URL(server.url).port))
      const headers = ['Host: x', 'Connection: close', `Authorization: Bearer ${token}`, 'Content-Length: 2']
      connection.socket.write(rawRequest(`POST ${root}/x`, headers, 'a'))
      return connection
    }
    const [kept, changed] = [await post(), await post()]
    // Their heads are in: a later request on another connection has been answered.
    assert.equal(
      (await server.send('POST', `${root}/x`, { headers: bearer(token), body: 'b' })).text,
      'admin',
    )
    kept.socket.write('b')
    await kept.gone
    assert.match(kept.text(), /^HTTP\/1\.1 200 [\s\S]*admin$/)
    await server.write({ 'reports/init.lua': source('editor') })
    await server.admin('POST', '/reports/reload')
    await server.approveAll()
    changed.socket.write('b')
    await changed.gone
    assert.match(changed.text(), /^HTTP\/1\.1 403 [\s\S]*the role editor/)
  })
})

describe('what cannot be asked of callers', () => {
  it('keeps a plugin from loading, and says what to write', async (test) => {
    const server = await startHost(test, { plugins: {} })
    const cases: readonly (readonly [options: string, said: RegExp])[] = [
      ['{ auth = auth.require }', /a function cannot be passed to the host at auth/],
      ['{ auth = { roles = { "x" } } }', /auth must be what auth\.require makes/],
      ['{ auth = true }', /auth must be what auth\.require makes/],
      ['{ auth = false }', /auth must be what auth\.require makes/],
      ['{ atuh = auth.require({ tenant = true }) }', /unknown option "atuh"; there are public, auth/],
      ['auth.require({ tenant = true })', /unknown option "requires"/],
      ['{ public = true, auth = auth.require({ tenant = true }) }', /public asks nothing of its callers/],
      ['{ public = 1, auth = auth.require({ tenant = true }) }', /public asks nothing of its callers/],
      ['{ auth = auth.require() }', /auth\.require/],
      ['{ auth = auth.require({}) }', /asks for nothing/],
      ['{ auth = auth.require("analyst") }', /takes a table/],
      ['{ auth = auth.require({ "analyst" }) }', /takes a table/],
      ['{ auth = auth.require({ role = { "analyst" } }) }', /no field "role": did you mean roles\?/],
      ['{ auth = auth.require({ roles = "analyst" }) }', /roles must be a list/],
      ['{ auth = auth.require({ roles = {} }) }', /roles must be a list of at least one/],
      ['{ auth = auth.require({ roles = { "" } }) }', /is empty/],
      ['{ auth = auth.require({ roles = { "a\\nb" } }) }', /control character/],
      ['{ auth = auth.require({ roles = { a = "x" } }) }', /roles must be a list/],
      ['{ auth = auth.require({ tenant = false }) }', /tenant can only be true/],
      ['{ auth = auth.require({ tenant = "acme" }) }', /tenant can only be true/],
      ['{ auth = auth.require({ permissions = { "content:raed" } }) }', /did you mean content:read\?/],
      ['{ auth = auth.require({ permissions = { "*" } }) }', /which nothing is called/],
      ['{ auth = auth.require({ types = { "anonymous" } }) }', /which nothing is called/],
    ]
    for (const [at, [options, said]] of cases.entries()) {
      const name = `odd_${at}`
      const source = `http.handle("GET", "/x", function() return { body = "in" } end, ${options})`
      await server.write({ [`${name}/init.lua`]: plugin(name, source) })
      await server.admin('POST', `/${name}/reload`, { status: 500 })
      const { failed_reason: reason = '' } = await server.admin<{ failed_reason?: string }>('GET', `/${name}`)
      assert.match(reason, said, options)
    }
    const late = `local made = auth.require({ roles = { "analyst" } })
made.requires.roles[1] = "reader"
http.handle("GET", "/changed", function() return {} end, { auth = made })
http.handle("GET", "/late", function() auth.require({ tenant = true }) return {} end)`
    await server.write({ 'late/init.lua': plugin('late', late) })
    await server.admin('POST', '/late/reload')
    await server.approveAll()
    const answer = await server.call('GET', '/late/late', { headers: server.credentials })
    assert.equal(answer.status, 500, 'it works at module scope only')
    const changed = await server.call('GET', '/late/changed', { headers: server.credentials })
    assert.match(changed.text, /the role reader/, 'what is registered is what is shown and checked')
  })
})
