import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'
import { until } from '../helpers/until.js'

const badges = plugin(
  'badges',
  `auth.authenticator("badge", function(req)
  if req.bearer == "badge_ann" then
    return auth.identity({ type = "worker", id = "7", name = "Ann", tenant_id = "acme", roles = { "admin", "packer" },
      attributes = { hall = 3 } })
  end
  if req.bearer == "badge_old" then return auth.fail("expired", "That badge is from last year.") end
  if req.bearer == "badge_boom" then error("secret detail") end
  if req.bearer == "badge_slow" then while true do end end
  if req.bearer == "badge_odd" then return "ann" end
  if req.bearer == "badge_long" then return auth.identity({ id = string.rep("x", 300) }) end
  if req.bearer == "badge_none" then return auth.none() end
  return auth.fail()
end, { bearer = "badge_" })
auth.authenticator("greeting", function(req)
  if req.headers["x-greeting"] == "hello" then return auth.identity({ id = "guest", type = "user" }) end
end, { header = "X-Greeting" })
auth.authorizer("views_only", function(identity, access)
  if identity.id == "boom" then error("no") end
  if access.action == "view" then return true end
  return auth.deny("only an owner changes this")
end)
auth.authorizer("packers", function(identity)
  for _, role in ipairs(identity.roles) do if role == "packer" then return auth.allow() end end
end)
auth.authorizer("broken", function() error("secret detail") end)
http.handle("GET", "/me", function(req) return { json = { user = req.user, identity = req.identity } } end)
http.handle("POST", "/me", function(req) return { json = { user = req.user } } end)
http.handle("GET", "/open", function(req) return { json = { identity = req.identity } } end, { public = true })`,
)

const path = '/api/v1/plugins/badges'

const ask = (server: TestHost, method: string, target: string, headers: Record<string, string> = {}) =>
  server.send(method, target, { headers })

async function outcomeOf(server: TestHost, target: string, token?: string, method = 'GET'): Promise<string> {
  const answer = await ask(
    server,
    method,
    target,
    token === undefined ? {} : { authorization: `Bearer ${token}` },
  )
  if (answer.status === 200 || answer.status === 404) return String(answer.status)
  return `${answer.status} ${answer.code ?? (JSON.parse(answer.text) as { code: string }).code}`
}

describe('authenticators and authorizers of plugins', () => {
  const server = useHost({
    plugins: { 'badges/init.lua': badges },
    config: {
      'auth.http.rules': [
        { paths: [`${path}/open`], authenticators: [] },
        { paths: ['/views/**'], authenticators: ['badge', 'admin_token'], authorizer: 'views-only' },
        {
          paths: ['/both/**'],
          authenticators: ['badge', 'admin_token'],
          authorizers: ['views_only', 'packers'],
        },
        { paths: ['/broken/**'], authenticators: ['badge'], authorizer: 'broken' },
        { paths: ['/api/v1/admin/**'], authenticators: ['badge', 'admin_token'] },
        { paths: [`${path}/**`], authenticators: ['badge', 'greeting'] },
      ],
    },
  })

  it('tell who sends a request, to handlers as well', async () => {
    const answer = await ask(server(), 'GET', `${path}/me`, { authorization: 'Bearer badge_ann' })
    assert.equal(answer.status, 200, answer.text)
    assert.deepEqual(answer.json(), {
      user: { id: '7', username: '7', role: 'packer' },
      identity: {
        type: 'worker',
        id: '7',
        name: 'Ann',
        tenant_id: 'acme',
        roles: ['admin', 'packer'],
        groups: [],
        attributes: { hall: 3 },
        authenticator: 'badge',
      },
    })
    const greeted = await ask(server(), 'GET', `${path}/me`, { 'x-greeting': 'hello' })
    assert.equal(greeted.json<{ user: { id: string } }>().user.id, 'guest')
    assert.equal((await ask(server(), 'GET', `${path}/me`, { 'x-greeting': 'bye' })).status, 401)
    const stranger = await ask(server(), 'GET', `${path}/open`, { authorization: 'Bearer badge_ann' })
    assert.equal(stranger.json<{ identity: { type: string } }>().identity.type, 'anonymous')
  })

  it('let nobody in by mistake', async () => {
    const host = server()
    assert.equal(await outcomeOf(host, `${path}/me`), '401 AUTH_REQUIRED')
    assert.equal(await outcomeOf(host, `${path}/me`, 'badge_old'), '401 AUTH_EXPIRED')
    assert.equal(await outcomeOf(host, `${path}/me`, 'badge_wrong'), '401 AUTH_INVALID')
    assert.equal(await outcomeOf(host, `${path}/me`, 'badge_none'), '401 AUTH_INVALID')
    assert.equal(await outcomeOf(host, `${path}/me`, 'other'), '401 AUTH_INVALID')
    for (const token of ['badge_boom', 'badge_odd', 'badge_long', 'badge_slow']) {
      assert.equal(await outcomeOf(host, `${path}/me`, token), '503 AUTH_UNAVAILABLE', token)
      const { text } = await ask(host, 'GET', `${path}/me`, { authorization: `Bearer ${token}` })
      assert.doesNotMatch(text, /secret|lua/i)
      await until('it runs again', async () => (await outcomeOf(host, `${path}/me`, 'badge_ann')) === '200')
    }
    assert.ok(!JSON.stringify(host.lines).includes('badge_ann'), 'no credential is logged')
  })

  it('open nothing of the host, whatever they call a role', async () => {
    const host = server()
    assert.equal(await outcomeOf(host, '/api/v1/admin/plugins', 'badge_ann'), '403 FORBIDDEN')
    assert.equal(
      await outcomeOf(host, '/api/v1/admin/plugins/badges/reload', 'badge_ann', 'POST'),
      '403 FORBIDDEN',
    )
    assert.equal(await outcomeOf(host, '/api/v1/admin/plugins', host.host.adminToken.token), '200')
  })

  it('FL-15: decide what may be done, all of them together', async () => {
    const host = server()
    assert.equal(await outcomeOf(host, '/views/x', 'badge_ann'), '404')
    assert.equal(await outcomeOf(host, '/views/x', 'badge_ann', 'POST'), '403 AUTH_DENIED')
    assert.match(
      (await ask(host, 'POST', '/views/x', { authorization: 'Bearer badge_ann' })).text,
      /only an owner/,
    )
    assert.equal(await outcomeOf(host, '/both/x', 'badge_ann'), '404')
    assert.equal(await outcomeOf(host, '/both/x', host.host.adminToken.token), '403 AUTH_DENIED', 'no packer')
    assert.equal(await outcomeOf(host, '/broken/x', 'badge_ann'), '500 AUTHORIZER_FAILED')
  })

  it('FL-13: are asked only while they are approved and run', async () => {
    const host = server()
    const parts = await host.admin<{
      auth_parts: { part: string; approved: boolean; description: string }[]
    }>('GET', '/auth-parts')
    assert.deepEqual(
      parts.auth_parts.map(({ part, approved }) => [part, approved]),
      [
        ['authenticator badge bearer=badge_', true],
        ['authenticator greeting header=x-greeting', true],
        ['authorizer views_only', true],
        ['authorizer packers', true],
        ['authorizer broken', true],
      ],
    )
    const part = 'authenticator badge bearer=badge_'
    await host.admin('POST', '/auth-parts/revoke', { json: { auth_parts: [{ plugin: 'badges', part }] } })
    assert.equal(await outcomeOf(host, `${path}/me`, 'badge_ann'), '503 AUTH_UNAVAILABLE')
    assert.equal(await outcomeOf(host, '/views/x', 'badge_ann'), '503 AUTH_UNAVAILABLE')
    assert.equal(
      await outcomeOf(host, '/views/x', host.host.adminToken.token),
      '404',
      'it is not asked about others',
    )
    await host.admin('POST', '/auth-parts/approve', { json: { auth_parts: [{ plugin: 'badges', part }] } })
    assert.equal(await outcomeOf(host, `${path}/me`, 'badge_ann'), '200')
    await host.admin('POST', '/badges/disable')
    assert.equal(await outcomeOf(host, '/views/x', 'badge_ann'), '503 AUTH_UNAVAILABLE')
    assert.equal(await outcomeOf(host, '/views/x', host.host.adminToken.token), '500 AUTHORIZER_FAILED')
    await host.admin('POST', '/badges/enable')
    assert.equal(await outcomeOf(host, `${path}/me`, 'badge_ann'), '200')
  })
})

describe('authenticators of plugins, at the start', () => {
  it('are asked about everything that no rule is for, when they are approved', async (test) => {
    const server = await startHost(test, { plugins: { 'badges/init.lua': badges }, approve: false })
    await server.host.plugins.approveRoutes(server.host.plugins.routes(), 'test')
    assert.equal(
      await outcomeOf(server, `${path}/me`, 'badge_ann'),
      '401 UNAUTHORIZED',
      'nobody knows it yet',
    )
    await server.approveAll()
    assert.equal(await outcomeOf(server, `${path}/me`, 'badge_ann'), '200')
    assert.equal(await outcomeOf(server, `${path}/open`), '200')
  })

  it('never see the admin token, and stop no probe, whatever they are asked about', async (test) => {
    const curious = plugin(
      'curious',
      `auth.authenticator("curious", function(req)
  kv.set({ "seen", req.path }, { bearer = req.bearer or "none", headers = req.headers })
  if req.path:find("^/health") then error("down") end
end)
http.handle("GET", "/seen", function()
  local out = json.array({})
  for _, path in ipairs({ "/watched", "/api/v1/admin/plugins/curious", "/only" }) do
    local entry = kv.get({ "seen", path })
    out[#out + 1] = entry and entry.value or "nothing"
  end
  return { json = out }
end, { public = true })`,
    )
    const server = await startHost(test, {
      plugins: { 'curious/init.lua': curious },
      config: {
        'auth.http.rules': [
          {
            paths: ['/watched', '/api/v1/admin/plugins/curious'],
            authenticators: ['curious', 'admin_token'],
          },
          { paths: ['/only'], authenticators: ['curious'] },
        ],
      },
    })
    const { token } = server.host.adminToken
    // The first call of a plugin may come too late on a busy machine, and then nobody is let in.
    await until(
      'the authenticator answers',
      async () => (await outcomeOf(server, '/watched', token)) !== '503 AUTH_UNAVAILABLE',
    )
    assert.equal(await outcomeOf(server, '/watched', token), '404')
    assert.equal(await outcomeOf(server, '/api/v1/admin/plugins/curious', token), '200')
    assert.equal(await outcomeOf(server, '/only', token), '401 AUTH_INVALID')
    const seen = await server.call('GET', '/curious/seen')
    assert.equal(seen.json<{ bearer: string }[]>().filter(({ bearer }) => bearer === 'none').length, 3)
    assert.ok(!seen.text.includes(token), 'the admin token is for the host')
    assert.equal(await outcomeOf(server, '/only', 'of-somebody'), '401 AUTH_INVALID')
    assert.match((await server.call('GET', '/curious/seen')).text, /of-somebody/)

    for (const probe of ['/health', '/health/live', '/health/ready']) {
      assert.equal(await outcomeOf(server, probe), '200', probe)
    }
    assert.equal(await outcomeOf(server, '/health?detail=1'), '401 UNAUTHORIZED')
  })

  it('keep their paths shut when their plugin cannot be loaded', async (test) => {
    const config = { 'auth.http.rules': [{ paths: ['/**'], authenticators: ['badge'] }] }
    const server = await startHost(test, { plugins: { 'badges/init.lua': badges }, config })
    assert.equal(await outcomeOf(server, '/x', 'badge_ann'), '404')
    await server.write({ 'badges/init.lua': 'this is no Lua' })
    await server.restart({ approve: false })
    assert.equal(await outcomeOf(server, '/x', 'badge_ann'), '503 AUTH_UNAVAILABLE')
  })

  it('FL-07: must be somebody’s, and of one plugin only', async (test) => {
    const other = plugin('other', 'auth.authorizer("packers", function() return true end)')
    const config = { 'auth.http.rules': [{ paths: ['/**'], authenticators: ['badge', 'nobody'] }] }
    await assert.rejects(
      startHost(test, { plugins: { 'badges/init.lua': badges }, config }),
      /names "nobody", which is nobody/,
    )
    await assert.rejects(
      startHost(test, { plugins: { 'badges/init.lua': badges, 'other/init.lua': other } }),
      /The authorizer "packers" is there twice, by badges and by other/,
    )
    const badge = { type: 'jwt', issuer: 'https://a.example', audience: 'app', secret: 'x'.repeat(40) }
    await assert.rejects(
      startHost(test, {
        plugins: { 'badges/init.lua': badges },
        config: { 'auth.authenticators': { badge } },
      }),
      /The authenticator "badge" is there twice, by auth\.authenticators of the configuration and by badges/,
    )
    await assert.rejects(
      startHost(test, { plugins: {}, config: { 'auth.authenticators': { 'a-b': badge, a_b: badge } } }),
      /auth\.authenticators\.a_b .*has the name of "a-b"/,
    )
  })

  it('have names and options that mean something', async (test) => {
    const odd = [
      'auth.authenticator("session", function() end)',
      'auth.authenticator("Badge", function() end)',
      'auth.authenticator("badge", 7)',
      'auth.authenticator("badge", function() end, { cookie = "x" })',
      'auth.authenticator("badge", function() end, { header = "a b" })',
      'auth.authenticator("badge", function() end) auth.authenticator("badge", function() end)',
      'auth.authorizer("admin_only", function() end)',
      'auth.authorizer("x")',
      'for i = 1, 21 do auth.authorizer("a" .. i, function() end) end',
    ]
    const server = await startHost(test, { plugins: {} })
    for (const [at, source] of odd.entries()) {
      await server.write({ [`odd_${at}/init.lua`]: plugin(`odd_${at}`, source) })
      await server.admin('POST', `/odd_${at}/reload`, { status: 500 })
    }
    const late =
      'http.handle("GET", "/x", function() auth.authorizer("late", function() return true end) end, { public = true })'
    await server.write({ 'late/init.lua': plugin('late', late) })
    await server.admin('POST', '/late/reload')
    await server.approveAll()
    assert.equal((await server.call('GET', '/late/x')).status, 500)
  })
})
