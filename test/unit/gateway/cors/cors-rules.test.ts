import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { corsLimits } from '../../../../src/base/limits/gateway.js'
import { type CoreDatabase, createDatabase } from '../../../../src/database/database.js'
import { openSqlite } from '../../../../src/database/sqlite.js'
import { createCors } from '../../../../src/gateway/cors/cors.js'
import type { CorsPolicy, CorsRule } from '../../../../src/gateway/cors/rule.js'
import { type CorsServer, createCorsServer } from '../../../helpers/cors-server.js'

let folder: string
let file: string
let database: CoreDatabase
let server: CorsServer

const configured: CorsPolicy = { origin: 'https://config.test' }

async function start(policy?: CorsPolicy): Promise<void> {
  database = await createDatabase({ file, busyRetryMs: 200 })
  server = await createCorsServer(database, policy)
}

async function stop(): Promise<void> {
  await server.close()
  await database.close()
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cors-'))
  file = join(folder, 'modula.db')
  await start(configured)
})
afterEach(async () => {
  await stop()
  rmSync(folder, { recursive: true })
})

const send = (method: string, path: string, json?: unknown) =>
  server.client.send(method, path, json === undefined ? {} : { json })
const list = async () => (await send('GET', '/cors/rules')).json<CorsRule[]>()
const names = async () => (await list()).map(({ name }) => name)
const add = async (name: string) =>
  (await send('POST', '/cors/rules', { name, origins: `https://${name}.test` })).json<
    CorsRule & { id: string }
  >()
const allowed = async (origin: string) =>
  (await server.client.send('GET', '/plain', { headers: { origin } })).headers['access-control-allow-origin']

test('a rule is added, listed before that of the configuration, changed and removed, each with the next request', async () => {
  const added = await send('POST', '/cors/rules', {
    name: 'Apps',
    origins: ['https://app.test'],
    methods: 'get',
    credentials: true,
  })
  assert.equal(added.status, 201)
  const rule = added.json<CorsRule & Record<string, unknown>>()
  assert.deepEqual(Object.keys(rule).sort(), [
    'allowedHeaders',
    'createdAt',
    'credentials',
    'exposedHeaders',
    'id',
    'maxAge',
    'methods',
    'name',
    'origins',
    'source',
  ])
  assert.equal(rule.source, 'database')
  assert.equal(await allowed('https://app.test'), 'https://app.test')
  const [first, second, ...more] = await list()
  assert.deepEqual(first, rule)
  assert.deepEqual([second?.id, second?.source, more.length], ['config', 'config', 0])

  const changed = await send('PUT', `/cors/rules/${rule.id}`, {
    ...rule,
    origins: 'https://new.test',
    id: 'x',
    createdAt: 1,
  })
  assert.equal(changed.status, 200)
  assert.deepEqual(changed.json(), { ...rule, origins: ['https://new.test'] })
  assert.equal(await allowed('https://app.test'), undefined)
  assert.equal(await allowed('https://new.test'), 'https://new.test')

  assert.deepEqual((await send('DELETE', `/cors/rules/${rule.id}`)).json(), { removed: true })
  assert.deepEqual((await send('DELETE', `/cors/rules/${rule.id}`)).json(), { removed: false })
  assert.equal(await allowed('https://new.test'), undefined)
  assert.equal(await allowed('https://config.test'), 'https://config.test')
})

test('rules and their order outlive a restart; the configured one is always that of this start', async () => {
  const rules = [await add('c'), await add('a'), await add('b'), await add('d')]
  await send('DELETE', `/cors/rules/${rules[2]?.id}`)
  await send('PUT', `/cors/rules/${rules[0]?.id}`, { name: 'c2', origins: '*.c.test' })
  const e = await add('e')
  assert.deepEqual(await names(), ['c2', 'a', 'd', 'e', 'Default'])
  const stored = (await list()).slice(0, -1)

  await stop()
  await start()
  assert.deepEqual(await list(), stored)
  assert.equal(await allowed('https://x.c.test'), 'https://x.c.test')
  assert.equal(await allowed('https://config.test'), undefined)

  await stop()
  await start({ origin: '*' })
  assert.deepEqual(await names(), ['c2', 'a', 'd', 'e', 'All origins'])
  assert.deepEqual((await list()).at(-2), e)
  assert.equal(await allowed('https://config.test'), '*')
})

test('changes at once keep the memory and the file the same', async () => {
  const rule = await add('first')
  await Promise.all([
    ...['a', 'b', 'c', 'd'].map(add),
    send('DELETE', `/cors/rules/${rule.id}`),
    send('PUT', `/cors/rules/${rule.id}`, { name: 'late', origins: 'https://late.test' }),
  ])
  const before = await list()
  assert.equal(before.length, 5)
  await stop()
  await start(configured)
  assert.deepEqual((await list()).slice(0, -1), before.slice(0, -1))
})

const refusals: readonly (readonly [unknown, string])[] = [
  [[], 'INVALID_CORS_RULE'],
  [{ origins: '*' }, 'CORS_NAME_REQUIRED'],
  [{ name: 'n' }, 'CORS_ORIGINS_REQUIRED'],
  [{ name: 'n', origins: '*', credentials: true }, 'CORS_CREDENTIALS_WILDCARD'],
  [{ name: 'n', origins: '*', methods: ['TRACE'] }, 'CORS_INVALID_METHOD'],
  [{ name: 'n', origins: '*', maxAge: -1 }, 'CORS_INVALID_MAX_AGE'],
]
for (const [body, code] of refusals) {
  test(`${code} changes nothing, in a new rule and in one that is there`, async () => {
    const rule = await add('kept')
    const before = await list()
    for (const answer of [
      await send('POST', '/cors/rules', body),
      await send('PUT', `/cors/rules/${rule.id}`, body),
    ]) {
      assert.equal(answer.status, 400)
      assert.equal(answer.json().code, code)
      assert.equal(typeof answer.json().error, 'string')
    }
    assert.deepEqual(await list(), before)
  })
}

test('the rule of the configuration is not changed, and an unknown one is not made', async () => {
  const before = await list()
  const put = await send('PUT', '/cors/rules/config', { name: 'n', origins: 'https://evil.test' })
  assert.deepEqual([put.status, put.json().code], [400, 'CORS_RULE_CONFIGURED'])
  const removed = await send('DELETE', '/cors/rules/config')
  assert.deepEqual([removed.status, removed.json().code], [400, 'CORS_RULE_CONFIGURED'])
  const unknown = await send('PUT', '/cors/rules/nobody', { name: 'n', origins: 'https://evil.test' })
  assert.deepEqual([unknown.status, unknown.json().code], [404, 'CORS_RULE_NOT_FOUND'])
  assert.match(String(unknown.json().error), /^Rule not found/)
  assert.deepEqual(await list(), before)
})

test('one rule beyond the limit is refused, also when all come at once', async () => {
  const many = Array.from({ length: corsLimits.rulesMax + 5 }, (_, at) =>
    server.cors.add({ name: `${at}`, origins: '*.test' }),
  )
  const settled = await Promise.allSettled(many)
  const refused = settled.filter(({ status }) => status === 'rejected')
  assert.equal(refused.length, 5)
  for (const each of refused) assert.equal((each as PromiseRejectedResult).reason.code, 'CORS_RULES_FULL')
  assert.equal(server.cors.list().length, corsLimits.rulesMax + 1)
})

test('a rule that cannot be written is not in force, and the next one can be', async () => {
  const writer = openSqlite({ file, busyTimeoutMs: 0 })
  try {
    writer.exec('begin immediate')
    const answer = await send('POST', '/cors/rules', { name: 'n', origins: 'https://app.test' })
    assert.deepEqual([answer.status, answer.json().code], [503, 'DATABASE_BUSY'])
    assert.equal(await allowed('https://app.test'), undefined)
    assert.deepEqual(await names(), ['Default'])
    writer.exec('rollback')
  } finally {
    writer.close()
  }
  await add('after')
  assert.deepEqual(await names(), ['after', 'Default'])
})

test('a stored rule that is not usable lets nobody in, keeps nothing from starting, and can be removed', async () => {
  const rule = await add('bad')
  const kept = await add('good')
  await database.withBusyRetry((kysely) =>
    kysely
      .updateTable('gateway_cors_rules')
      .set({ origins: '["*"]', credentials: 1 })
      .where('id', '=', rule.id)
      .execute(),
  )
  await stop()
  await start()
  assert.deepEqual(await list(), [kept])
  assert.equal(await allowed('https://any.test'), undefined)
  assert.deepEqual(server.errors, ['a stored CORS rule is not usable'])
  assert.deepEqual((await send('DELETE', `/cors/rules/${rule.id}`)).json(), { removed: true })
})

test('the wildcard with credentials in the configuration keeps the gateway from starting', async () => {
  const ignore = () => undefined
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore }
  await assert.rejects(createCors({ database, log, configured: { origin: '*', credentials: true } }), {
    code: 'CORS_CREDENTIALS_WILDCARD',
  })
})

test('operators see the stage and the number of its rules', async () => {
  await add('a')
  assert.deepEqual(server.cors.stage.describe?.(), { rulesCount: 2 })
  assert.equal(server.cors.stage.name, 'cors')
})
