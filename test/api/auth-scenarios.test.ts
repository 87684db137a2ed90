import assert from 'node:assert/strict'
import { it } from 'node:test'
import { withAccounts } from '../helpers/account-host.js'
import { plugin, startHost, type TestHost } from '../helpers/create-host.js'
import { ownColumns } from '../helpers/migration-world.js'
import { startTokenIssuer } from '../helpers/token-issuer.js'

const showing = (path: string, more = '') =>
  `http.handle("GET", "${path}", function(req) return { json = { plugin = plugin_info.name, identity = req.identity } } end, { public = true })\n${more}`
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
const statusOf = async (server: TestHost, path: string, token?: string) =>
  (await server.send('GET', path, token === undefined ? {} : bearer(token))).status

/** An authenticator that fails where it is told to. */
const badge = `auth.authenticator("badge", function(req)
  if req.bearer == "badge_ann" then return auth.identity({ id = "ann" }) end
  error("it is broken")
end, { bearer = "badge_" })`

it('FL-01: brings up core tables, then those of each plugin in their order, and health names them', async (test) => {
  const migration = (name: string) => `CREATE TABLE plugin_${name}_rows (${ownColumns})`
  const server = await startHost(test, {
    plugins: {
      'worker_token/init.lua': plugin('worker_token', showing('/x')),
      'worker_token/migrations/20240101000000_create.sql': migration('worker_token'),
      'audit_log/init.lua': plugin('audit_log', showing('/x'), '1', 'dependencies = { "worker_token" },'),
      'audit_log/migrations/20240102000000_later.sql':
        'ALTER TABLE plugin_audit_log_rows ADD COLUMN who TEXT',
      'audit_log/migrations/20240101000000_create.sql': migration('audit_log'),
    },
    config: { edition: 'premium', editions: { premium: ['worker-token', 'audit-log'] } },
  })
  const applied = server.lines
    .filter(({ msg }) => /migration/.test(msg))
    .map(({ plugin: name, version }) => `${name} ${version}`)
  assert.deepEqual(applied, [
    'worker_token 20240101000000',
    'audit_log 20240101000000',
    'audit_log 20240102000000',
  ])
  const rows = await Promise.all(
    ['worker_token', 'audit_log'].map((name) =>
      server.admin<{ migrations: { version: number; state: string }[] }>('GET', `/${name}/migrations`),
    ),
  )
  assert.deepEqual(
    rows.map(({ migrations }) => migrations.map(({ version, state }) => `${version} ${state}`)),
    [['20240101000000 applied'], ['20240101000000 applied', '20240102000000 applied']],
  )
  const health = (await server.send('GET', '/health')).json<Record<string, unknown>>()
  assert.deepEqual([health.status, health.edition], ['healthy', 'premium'])
  assert.deepEqual([...(health.plugins as string[])].sort(), ['audit_log', 'worker_token'])
  assert.match(String(health.version), /^\d+\.\d+\.\d+/)
})

it('FL-07: does not start with two folders of one plugin name, and names both; each plugin has routes of its own', async (test) => {
  const twins = { 'b/init.lua': plugin('notes', showing('/x')), 'a/init.lua': plugin('notes', showing('/x')) }
  await assert.rejects(startHost(test, { plugins: twins }), {
    code: 'PLUGIN_NAME_TAKEN',
    message: /"notes": a and b/,
  })
  const server = await startHost(test, {
    plugins: {
      'one/init.lua': plugin('one', showing('/x')),
      'two/init.lua': plugin('two', showing('/x')),
      'twice/init.lua': plugin('twice', `${showing('/x')}${showing('/x')}`),
    },
  })
  for (const name of ['one', 'two'])
    assert.equal((await server.call('GET', `/${name}/x`)).json<{ plugin: string }>().plugin, name)
  const [failed] = server.host.status().failed
  assert.deepEqual([failed?.name, server.host.status().failed.length], ['twice', 1])
  assert.match(failed?.reason ?? '', /GET \/x/)
  await server.write({ 'copy/init.lua': plugin('one', showing('/y')) })
  await server.admin('POST', '/one/reload')
  assert.equal((await server.call('GET', '/one/x')).status, 200, 'a copy does not end a host that serves')
  assert.equal((await server.call('GET', '/one/y')).status, 404)
})

it('FL-08: a plugin that is not enabled is nowhere, and no rule can name what it has', async (test) => {
  const plugins = {
    'badges/init.lua': plugin('badges', showing('/x', badge)),
    'other/init.lua': plugin('other', showing('/x')),
  }
  const off = { plugins: { badges: { enabled: false } } }
  const server = await startHost(test, { plugins, config: off })
  assert.deepEqual((await server.send('GET', '/health')).json<{ plugins: string[] }>().plugins, ['other'])
  assert.equal((await server.call('GET', '/badges/x')).status, 404)
  assert.equal((await server.call('GET', '/other/x')).status, 200)
  const rule = { 'auth.http.rules': [{ paths: ['/**'], authenticators: ['badge'] }] }
  await assert.rejects(startHost(test, { plugins, config: { ...off, ...rule } }), {
    code: 'AUTH_SETTINGS_INVALID',
    message: /rules\[0\]\.authenticators names "badge", which is nobody/,
  })
  await (await startHost(test, { plugins, config: rule })).close()
})

it('FL-10: a star is one segment, two are any number, and the first rule that holds decides', async (test) => {
  const issuer = await startTokenIssuer(test)
  const base = '/api/v1/plugins/who'
  const paths = ['/public', '/public/x', '/public/x/y', '/admin', '/admin/a/b', '/admin/a/open', '/work/x']
  const server = await startHost(test, {
    plugins: { 'who/init.lua': plugin('who', paths.map((path) => showing(path)).join('\n')) },
    config: {
      'auth.authenticators': {
        jwt: { type: 'jwt', issuer: issuer.issuer, audience: 'app', jwksUri: issuer.jwksUri },
      },
      'auth.http.authenticators': ['jwt'],
      'auth.http.authorizers': ['tenant_scope'],
      'auth.http.rules': [
        { paths: ['/health', `${base}/public/*`], authenticators: [] },
        { paths: [`${base}/admin/**`], authenticators: ['jwt'], authorizer: 'admin_only' },
        { paths: [`${base}/admin/a/open`], authenticators: [] },
        { paths: [`${base}/work/**`], authenticators: ['admin_token', 'jwt'] },
      ],
    },
  })
  const admin = await issuer.sign({ roles: ['admin'] })
  const member = await issuer.sign({ tenant: 'acme' })
  const stranger = await issuer.sign()
  const { token } = server.host.adminToken
  const outcomes = async (path: string) =>
    Promise.all(
      [undefined, stranger, member, admin, token].map((sent) =>
        statusOf(server, path === '/health' ? path : `${base}${path}`, sent),
      ),
    )
  assert.deepEqual(await outcomes('/health'), [200, 200, 200, 200, 200])
  assert.deepEqual(await outcomes('/public/x'), [200, 200, 200, 200, 200])
  assert.deepEqual(await outcomes('/public/x/y'), [401, 403, 200, 403, 401], 'what the section says')
  assert.deepEqual(await outcomes('/public'), [401, 403, 200, 403, 401])
  assert.deepEqual(await outcomes('/admin/a/b'), [401, 403, 403, 200, 401])
  assert.deepEqual(await outcomes('/admin'), [401, 403, 403, 200, 401], '"**" is no segment as well')
  assert.deepEqual(await outcomes('/admin/a/open'), [401, 403, 403, 200, 401], 'a later rule says nothing')
  assert.deepEqual(await outcomes('/work/x'), [401, 403, 200, 403, 403], 'authorizers of the section hold')
})

it('FL-13: an authenticator that trips lets nobody in until it works again', async (test) => {
  const server = await startHost(test, {
    plugins: { 'badges/init.lua': plugin('badges', showing('/x', badge)) },
    config: {
      'auth.http.rules': [{ paths: ['/api/v1/plugins/**'], authenticators: ['badge'] }],
      'gateway.stage.failures': 2,
      'gateway.stage.reset': '1h',
    },
  })
  const path = '/api/v1/plugins/badges/x'
  assert.equal(await statusOf(server, path, 'badge_ann'), 200)
  const broken: number[] = []
  for (let at = 0; at < 4; at += 1) broken.push(await statusOf(server, path, 'badge_broken'))
  assert.deepEqual(broken, [503, 503, 503, 503])
  assert.equal(await statusOf(server, path, 'badge_ann'), 503, 'it is not asked, and nobody passes unasked')
  assert.equal(await statusOf(server, path), 401)
  await server.admin('POST', '/badges/reload')
  assert.equal(await statusOf(server, path, 'badge_ann'), 200)
})

it('FL-14: what a plugin calls public is not exempt where the section asks who sends a request', async (test) => {
  const server = await startHost(test, {
    plugins: { 'who/init.lua': plugin('who', `${showing('/open')}\n${showing('/exempt')}`) },
    config: {
      'auth.http.authenticators': ['admin_token'],
      'auth.http.rules': [{ paths: ['/api/v1/plugins/who/exempt'], authenticators: [] }],
    },
  })
  const { token } = server.host.adminToken
  assert.equal(await statusOf(server, '/api/v1/plugins/who/open'), 401)
  assert.equal(await statusOf(server, '/api/v1/plugins/who/open', token), 200)
  for (const sending of [{}, bearer(token), bearer('wrong')]) {
    const answer = await server.call('GET', '/who/exempt', sending)
    assert.equal(answer.status, 200)
    const { type, id } = answer.json<{ identity: { type: string; id: string } }>().identity
    assert.deepEqual([type, id], ['anonymous', 'anonymous'])
  }
})

it('FL-12: of a session and a token the first in order counts, and one that is not valid is not passed over', async (test) => {
  const issuer = await startTokenIssuer(test)
  const server = await startHost(test, {
    plugins: { 'who/init.lua': plugin('who', showing('/x')) },
    config: {
      'auth.authenticators': {
        jwt: { type: 'jwt', issuer: issuer.issuer, audience: 'app', jwksUri: issuer.jwksUri },
      },
      'auth.http.authenticators': ['session', 'jwt'],
    },
  })
  const accounts = withAccounts(server)
  await accounts.addUser('sam')
  const sam = await accounts.signIn('sam')
  const authorization = `Bearer ${await issuer.sign({ sub: 'jo', name: 'jo' })}`
  const who = async (headers: Record<string, string>) => {
    const answer = await server.call('GET', '/who/x', { headers })
    if (answer.status !== 200) return answer.status
    const { name, authenticator } = answer.json<{ identity: { name: string; authenticator: string } }>()
      .identity
    return `${name} by ${authenticator}`
  }
  const { cookie } = sam
  const session = cookie.slice(cookie.indexOf('=') + 1)
  assert.equal(await who({ cookie, authorization }), 'sam by session')
  assert.equal(await who({ 'x-session-id': session, authorization }), 'sam by session')
  assert.equal(await who({ authorization }), 'jo by jwt')
  assert.equal(await who({ cookie }), 'sam by session')
  assert.equal(await who({}), 401)
  for (const bad of ['A'.repeat(43), 'x', '']) {
    assert.equal(await who({ cookie: `modulacms_session=${bad}`, authorization }), 401, bad)
    assert.equal(await who({ 'x-session-id': bad, authorization }), 401, bad)
  }
  assert.equal(await who({ cookie, authorization: 'Bearer a.b.c' }), 'sam by session', 'it is not looked at')
  await accounts.auth('POST', '/logout', undefined, sam.browser)
  assert.equal(await who({ cookie, authorization }), 401, 'a session that is over, even with a valid token')
})

it('FL-21: cookie and header are one session, and signing out ends it for both', async (test) => {
  const server = await startHost(test, {
    plugins: { 'who/init.lua': plugin('who', showing('/x')) },
    config: { 'auth.http.authenticators': ['session'] },
  })
  const accounts = withAccounts(server)
  await accounts.addUser('sam', { roles: ['auditor'], tenant: 'acme' })
  const sam = await accounts.signIn('sam')
  const other = await accounts.signIn('sam')
  const headersOf = ({ cookie }: typeof sam) => [
    { cookie },
    { 'x-session-id': cookie.slice(cookie.indexOf('=') + 1) },
  ]
  const ask = (headers: object) =>
    server.call('GET', '/who/x', { headers: headers as Readonly<Record<string, string>> })
  const answers = await Promise.all(headersOf(sam).map(ask))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  )
  const [byCookie, byHeader] = answers.map(
    (answer) => answer.json<{ identity: Record<string, unknown> }>().identity,
  )
  assert.deepEqual(byCookie, byHeader)
  assert.deepEqual([byCookie?.id, byCookie?.tenant_id], [sam.id, 'acme'])
  assert.equal((await accounts.auth('POST', '/logout', undefined, sam.browser)).status, 200)
  for (const headers of headersOf(sam)) assert.equal((await ask(headers)).status, 401)
  for (const headers of headersOf(other))
    assert.equal((await ask(headers)).status, 200, 'another session goes on')
  await server.restart()
  for (const headers of headersOf(sam)) assert.equal((await ask(headers)).status, 401, 'also after a start')
  for (const headers of headersOf(other)) assert.equal((await ask(headers)).status, 200)
})
