import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify from 'fastify'
import { sql } from 'kysely'
import { HostError } from '../../../../src/base/errors.js'
import { compilePattern } from '../../../../src/gateway/proxy/pattern.js'
import { createProxy } from '../../../../src/gateway/proxy/proxy.js'
import { addProxyRoutes } from '../../../../src/gateway/proxy/proxy-routes.js'
import { matchesGlob } from '../../../../src/gateway/proxy/route-globs.js'
import { LinesLog, openDatabase } from '../../../helpers/proxy-world.js'

const target = 'http://target.example'

async function startRoutes(t: Parameters<typeof openDatabase>[0], rules: readonly unknown[] = []) {
  const database = await openDatabase(t)
  const proxy = await createProxy({ database, log: new LinesLog(), rules })
  const app = Fastify()
  // As in the area of admins: schemas of answers are for the document.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  app.setErrorHandler((error, _, reply) => {
    const status = error instanceof HostError ? error.status : 500
    reply.code(status).send({ error: (error as Error).message })
  })
  addProxyRoutes(app, proxy)
  t.after(() => app.close())
  const call = async (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, payload?: object) => {
    const answer = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) })
    return { status: answer.statusCode, body: answer.json() }
  }
  return { call, proxy, database }
}

test('rules are added, changed, moved and deleted, and outlive the process', async (t) => {
  const { call, database } = await startRoutes(t, [{ pattern: '^/static', target }])
  const added = await call('POST', '/rules', { pattern: '^/a', target, rewrite: '/x', name: 'A' })
  assert.equal(added.status, 201)
  const { id, ...rest } = added.body
  assert.deepEqual(rest, {
    name: 'A',
    enabled: true,
    order: 0,
    pattern: '^/a',
    target,
    rewrite: '/x',
    changeOrigin: false,
    secure: true,
    ws: true,
    identity: false,
    relativePaths: false,
    readonly: false,
  })
  const other = (await call('POST', '/rules', { pattern: '^/b', target })).body
  assert.equal(other.order, 1)
  const changed = await call('PUT', `/rules/${id}`, { rewrite: null, secure: false, enabled: null })
  assert.equal(changed.status, 200)
  assert.equal('rewrite' in changed.body, false)
  assert.equal(changed.body.secure, false)
  assert.equal(changed.body.name, 'A')
  assert.equal((await call('PATCH', `/rules/${id}/toggle`)).body.enabled, false)
  const moved = await call('PUT', '/rules/reorder', { ids: [other.id, id] })
  assert.deepEqual(
    moved.body.map((rule: { id: string }) => rule.id),
    [other.id, id],
  )
  const again = await createProxy({ database, log: new LinesLog(), rules: [{ pattern: '^/static', target }] })
  assert.deepEqual(again.rules.list(), (await call('GET', '/rules')).body)
  assert.deepEqual(
    again.rules.list().map((rule) => rule.id),
    ['static-0', other.id, id],
  )
  assert.deepEqual(await call('DELETE', `/rules/${id}`), { status: 200, body: { success: true } })
  assert.equal((await call('GET', `/rules/${id}`)).status, 404)
})

test('what cannot be a change is refused', async (t) => {
  const { call, proxy } = await startRoutes(t, [{ pattern: '^/static', target }])
  const { id } = (await call('POST', '/rules', { pattern: 'a', target })).body
  const refusals: [Parameters<typeof call>, number, RegExp][] = [
    [['GET', '/rules/none'], 404, /^Rule not found$/],
    [['POST', '/rules', { target }], 400, /^pattern and target are required$/],
    [['POST', '/rules', { pattern: '(', target }], 400, /^Invalid regex pattern/],
    [['POST', '/rules', { pattern: 'a', target, color: 'red' }], 400, /color/],
    [['POST', '/rules', { pattern: 'a', target, constructor: 1 }], 400, /constructor/],
    [['POST', '/rules', { pattern: 'a', target: 'ftp://x' }], 400, /http or https/],
    [['POST', '/rules', { pattern: 'a', target: 'http://u:p@x' }], 400, /user/],
    [['POST', '/rules', { pattern: 'a', target: 'http://@x' }], 400, /user/],
    [['POST', '/rules', { pattern: 'a', target: 'http://x/?q' }], 400, /query/],
    [['POST', '/rules', { pattern: 'a', target, headers: { 'x-a': 'b\r\nc: d' } }], 400, /x-a/],
    [
      ['POST', '/rules', { pattern: 'a', target, headers: { 'Transfer-Encoding': 'chunked' } }],
      400,
      /Transfer/,
    ],
    [['POST', '/rules', { pattern: 'a', target, secure: 'no' }], 400, /secure/],
    [['PUT', `/rules/${id}`, { pattern: null }], 400, /required/],
    [['PUT', '/rules/static-0', {}], 403, /^Cannot modify static rules$/],
    [['PATCH', '/rules/static-0/toggle'], 403, /static/],
    [['DELETE', '/rules/static-0'], 403, /static/],
    [['PUT', '/rules/none', {}], 404, /not found/],
    [['PUT', '/rules/reorder', { ids: [] }], 400, /none/],
    [['PUT', '/rules/reorder', { ids: [id, id] }], 400, /twice/],
    [['PUT', '/rules/reorder', { ids: ['static-0'] }], 403, /static/],
    [['PUT', '/rules/reorder', { ids: ['none'] }], 404, /not found/],
  ]
  for (const [args, status, text] of refusals) {
    const { status: got, body } = await call(...args)
    assert.equal(got, status, JSON.stringify(args))
    assert.match(body.error, text)
  }
  await call('POST', '/rules', { pattern: 'b', target })
  assert.equal((await call('PUT', '/rules/reorder', { ids: [id] })).status, 400)
  assert.deepEqual(
    proxy.rules.list().map(({ pattern }) => pattern),
    ['^/static', 'a', 'b'],
  )
})

test('values of headers are shown to nobody, and stay what they are when a rule is sent back', async (t) => {
  const secret = 'Bearer of-the-target'
  const { call, proxy, database } = await startRoutes(t, [
    { pattern: '^/static', target, headers: { authorization: secret } },
  ])
  const rule = { pattern: '^/a', target, headers: { Authorization: secret, 'X-Other': 'plain' } }
  const added = await call('POST', '/rules', rule)
  const { id } = added.body
  const shown = { Authorization: '***', 'X-Other': '***' }
  assert.deepEqual(added.body.headers, shown)
  const { order: _, readonly: __, id: ___, ...fields } = added.body
  const answers = [
    added,
    await call('GET', '/rules'),
    await call('GET', `/rules/${id}`),
    await call('PUT', `/rules/${id}`, { ...fields, name: 'sent back' }),
    await call('PATCH', `/rules/${id}/toggle`),
    await call('PUT', '/rules/reorder', { ids: [id] }),
  ]
  for (const answer of answers) {
    assert.ok(answer.status < 300, JSON.stringify(answer))
    assert.doesNotMatch(JSON.stringify(answer.body), /of-the-target|plain/)
  }
  assert.deepEqual(proxy.rules.get(id).headers, rule.headers)
  await call('PUT', `/rules/${id}`, { headers: { Authorization: '***', 'X-New': 'new' } })
  assert.deepEqual(proxy.rules.get(id).headers, { Authorization: secret, 'X-New': 'new' })
  for (const headers of [{ 'X-Other': '***' }, { constructor: '***' }, { authorization: '***' }]) {
    const refused = await call('PUT', `/rules/${id}`, { headers })
    assert.equal(refused.status, 400, JSON.stringify(headers))
  }
  const again = await createProxy({ database, log: new LinesLog() })
  assert.deepEqual(again.rules.get(id).headers, { Authorization: secret, 'X-New': 'new' })
})

test('a stored rule that cannot be used can be deleted', async (t) => {
  const { call, database, proxy } = await startRoutes(t)
  await database.kysely
    .insertInto('proxy_rules')
    .values({ id: 'broken', rule_order: 0, rule_json: '{' })
    .execute()
  const { id } = (await call('POST', '/rules', { pattern: '^/a', target })).body
  assert.equal((await call('DELETE', '/rules/broken')).status, 200)
  assert.equal((await call('DELETE', '/rules/broken')).status, 404)
  const left = await database.kysely.selectFrom('proxy_rules').select('id').execute()
  assert.deepEqual(left, [{ id }])
  assert.equal(proxy.rules.list().length, 1)
})

test('a rule for which the disk has no room is not in force, and can be added later', async (t) => {
  const { call, database, proxy } = await startRoutes(t)
  const pages = (count: number) => sql`pragma max_page_count = ${sql.lit(count)}`.execute(database.kysely)
  const headers = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`x-${at}`, 'a'.repeat(2000)]))
  await pages(1)
  assert.ok((await call('POST', '/rules', { pattern: '^/a', target, headers })).status >= 500)
  assert.deepEqual(proxy.rules.list(), [])
  await proxy.rules.refresh()
  assert.deepEqual(proxy.rules.list(), [])
  await pages(1_000_000)
  assert.equal((await call('POST', '/rules', { pattern: '^/a', target, headers })).status, 201)
  assert.equal(proxy.rules.list().length, 1)
})

test('what is read again stays the same list until something has changed', async (t) => {
  const { call, database, proxy } = await startRoutes(t)
  const { id } = (await call('POST', '/rules', { pattern: '^/a', target })).body
  const { active } = proxy.rules
  await proxy.rules.refresh()
  assert.equal(proxy.rules.active, active)
  await database.kysely.deleteFrom('proxy_rules').where('id', '=', id).execute()
  await proxy.rules.refresh()
  assert.deepEqual(proxy.rules.active, [])
})

test('stored rules that cannot be used are left out with a warning', async (t) => {
  const database = await openDatabase(t)
  const rows = [
    ['1', '{'],
    ['2', '{"pattern":"(a+)+","target":"http://x"}'],
    ['3', 'null'],
  ]
  for (const [id = '', rule_json = ''] of rows) {
    await database.kysely.insertInto('proxy_rules').values({ id, rule_order: 0, rule_json }).execute()
  }
  const log = new LinesLog()
  const proxy = await createProxy({ database, log })
  assert.deepEqual(proxy.rules.list(), [])
  assert.equal(log.lines.filter(({ level }) => level === 'warn').length, 3)
})

test('patterns that take exponential time are refused, others end in time', () => {
  for (const bad of [
    '(a+)+$',
    '(a|aa)*$',
    '(a?a?)*b',
    '(?:(a*)b?)+',
    '([ab]+)*',
    '(a)\\1',
    'a'.repeat(513),
  ]) {
    assert.throws(() => compilePattern(bad), { code: 'PROXY_PATTERN_INVALID' }, bad)
  }
  const optional = compilePattern(`^${'a?'.repeat(40)}${'a'.repeat(40)}$`)
  assert.equal(optional(`${'a'.repeat(60)}b`), 'late')
  assert.equal(compilePattern('x.*x.*x.*x.*y')('x'.repeat(2048)), 'late')
  const plain = compilePattern('^/api(/.*)?$')
  assert.deepEqual([...(plain('/api/x') as string[])], ['/api/x', '/x'])
  assert.equal(plain('/other'), null)
  assert.equal(plain(`/api/${'x'.repeat(2048)}`), null)
  assert.deepEqual([...(compilePattern('^/[(]+(b|c)?\\)')('/(()') as string[])], ['/(()', undefined])
})

test('targets stay among the allowed ones', async (t) => {
  const database = await openDatabase(t)
  const create = (allowTargets: string[], url: string) =>
    createProxy({ database, log: new LinesLog(), allowTargets, rules: [{ pattern: 'a', target: url }] })
  await create(['api.example', '10.0.0.0/8', 'fd00::/8'], 'http://API.example:81/x')
  await create(['10.0.0.0/8'], 'http://10.1.2.3')
  await create(['fd00::/8'], 'http://[fd00::1]')
  for (const [allowed, url] of [
    ['api.example', 'http://api.example.evil'],
    ['10.0.0.0/8', 'http://169.254.169.254'],
    ['10.0.0.0/8', 'http://0xa9fea9fe'],
    ['api.example', 'http://10.1.2.3'],
  ] as const) {
    await assert.rejects(create([allowed], url), { code: 'PROXY_RULE_INVALID' }, url)
  }
  await assert.rejects(create(['10.0.0.0/99'], 'http://x'), { code: 'PROXY_ALLOWED_TARGET_INVALID' })
})

test('public routes are read as globs, by method', async (t) => {
  const database = await openDatabase(t)
  const publicRoutes = { ALL: ['/a/*'], POST: ['/hook/**'] }
  const proxy = await createProxy({
    database,
    log: new LinesLog(),
    rules: [{ pattern: '.', target, publicRoutes }],
  })
  assert.equal(proxy.isPublic('/a/b', 'GET'), true)
  assert.equal(proxy.isPublic('/a/b/c', 'GET'), false)
  assert.equal(proxy.isPublic('/hook/b/c', 'POST'), true)
  assert.equal(proxy.isPublic('/hook/b/c', 'GET'), false)
  assert.equal(matchesGlob('/x/**/y', '/x/1/2/y'), true)
  assert.equal(matchesGlob('/x.y', '/xay'), false)
})

test('public is what the rule that takes a path lists, not what a later one does', async (t) => {
  const database = await openDatabase(t)
  const publicRoutes = ['/**']
  const proxy = await createProxy({
    database,
    log: new LinesLog(),
    rules: [
      { pattern: '^/closed/', target },
      { pattern: '^/off/', target, enabled: false },
      { pattern: '^/plain/', target, publicRoutes, ws: false },
      { pattern: '^/plain/sockets', target },
      { pattern: '.', target, publicRoutes },
    ],
  })
  const isPublic = (path: string) => proxy.isPublic(path, 'GET')
  assert.equal(isPublic('/open'), true)
  assert.equal(isPublic('/closed/x'), false)
  assert.equal(isPublic('/off/x'), true)
  assert.equal(isPublic('/plain/x'), true)
  assert.equal(isPublic('/plain/sockets'), false, 'its WebSockets are another rule\u2019s')
})
