import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { openSqlite } from '../../src/database/sqlite.js'
import { bundledPlugin } from '../helpers/bundled-plugin.js'
import { startHost, type TestHost } from '../helpers/create-host.js'
import { createHttpClient } from '../helpers/http-client.js'
import { createWorkplace } from '../helpers/server-process.js'
import { startTokenIssuer } from '../helpers/token-issuer.js'
import { until } from '../helpers/until.js'

const events = '/audit_log/events'

interface Event {
  readonly id: string
  readonly action: string
  readonly actor_id?: string
  readonly tenant_id?: string
  readonly resource_type: string
  readonly resource_id?: string
  readonly details: Readonly<Record<string, unknown>>
}

interface Page {
  readonly events: readonly Event[]
  readonly next?: string
}

const pageOf = async (
  host: TestHost,
  headers: Readonly<Record<string, string>>,
  query = '',
): Promise<Page> => {
  const answer = await host.call('GET', `${events}${query}`, { headers })
  assert.equal(answer.status, 200, answer.text)
  return answer.json<Page>()
}

const seen = (host: TestHost, headers: Readonly<Record<string, string>>, action: string): Promise<Event> =>
  until(`${action} is kept`, async () => (await pageOf(host, headers, `?action=${action}`)).events[0])

const article = { name: 'article', schema: { type: 'object', properties: { body: { type: 'string' } } } }

it('FL-17: content and tokens leave rows with actor, action and resource, for their tenant and without secrets', async (test) => {
  const issuer = await startTokenIssuer(test)
  const jwt = { type: 'jwt', issuer: issuer.issuer, audience: 'app', jwksUri: issuer.jwksUri }
  const host = await startHost(test, {
    plugins: { ...bundledPlugin('audit_log'), ...bundledPlugin('worker_token') },
    config: {
      'auth.authenticators': { jwt },
      plugins: {
        worker_token: { secret: 'a-secret-of-the-worker-tokens-0123456789' },
        audit_log: { exclude: ['x.*'] },
      },
    },
  })
  const sign = async (sub: string, tenant: string): Promise<Record<string, string>> => ({
    authorization: `Bearer ${await issuer.sign({ sub, tenant, roles: ['admin'] })}`,
  })
  const [ann, bob] = [await sign('ann', 'a'), await sign('bob', 'b')]
  const wrote = await host.send('POST', '/api/v1/content/datatypes', { headers: ann, json: article })
  assert.equal(wrote.status, 201, wrote.text)
  const made = await host.call('POST', '/worker_token/tokens', {
    headers: ann,
    json: { display_name: 'packer' },
  })
  assert.equal(made.status, 201, made.text)
  const { id, token } = made.json<{ id: string; token: string }>()

  const content = await seen(host, ann, 'datatypes.create')
  assert.deepEqual([content.actor_id, content.tenant_id, content.resource_type], ['ann', 'a', 'datatypes'])
  const creation = await seen(host, ann, 'worker_token.token.create')
  assert.deepEqual(
    [creation.actor_id, creation.tenant_id, creation.resource_type, creation.resource_id],
    ['ann', 'a', 'worker_token', id],
  )
  const all = await pageOf(host, host.credentials)
  for (const text of [token, token.slice(17), 'a-secret-of-the-worker']) {
    assert.ok(!JSON.stringify(all).includes(text), 'no secret is kept')
  }

  assert.deepEqual((await pageOf(host, bob)).events, [], 'nothing of tenant a')
  assert.deepEqual((await pageOf(host, bob, `?resource_id=${id}`)).events, [])
  assert.equal((await host.call('GET', `${events}?tenant_id=a`, { headers: bob })).status, 400)
  const first = await pageOf(host, ann, '?limit=1')
  assert.equal(first.events.length, 1)
  const second = await pageOf(host, ann, `?limit=1&cursor=${first.next}`)
  assert.equal(second.next, undefined)
  assert.deepEqual(
    new Set([...first.events, ...second.events].map(({ action }) => action)),
    new Set(['datatypes.create', 'worker_token.token.create']),
  )
  assert.equal((await pageOf(host, ann, '?actor=ann&resource_type=worker_token')).events.length, 1)
  assert.equal((await pageOf(host, ann, '?from=2100-01-01T00:00:00Z')).events.length, 0)

  // The clock moves on by what the rows are older by.
  await host.close()
  const database = openSqlite({
    file: join(host.dataDirectory, 'modula.db'),
    busyTimeoutMs: 1000,
    mustExist: true,
  })
  database
    .prepare(
      "UPDATE plugin_audit_log_events SET happened_at = '2020-01-01T00:00:00Z' WHERE action LIKE 'worker_token.%'",
    )
    .run()
  database.close()
  await host.restart()
  await until('old rows are gone', async () => {
    const page = await pageOf(host, host.credentials, '?action=worker_token.token.create')
    return page.events.length === 0
  })
  assert.equal((await pageOf(host, host.credentials, '?action=datatypes.create')).events.length, 1)
})

it('an event that cannot be stored fails nothing, is counted, and is stored later', async (test) => {
  const host = await startHost(test, { plugins: bundledPlugin('audit_log') })
  const rename = (from: string, to: string): void => {
    const file = join(host.dataDirectory, 'modula.db')
    const database = openSqlite({ file, busyTimeoutMs: 5000, mustExist: true })
    database.exec(`ALTER TABLE ${from} RENAME TO ${to}`)
    database.close()
  }
  rename('plugin_audit_log_events', 'away')
  const { credentials: headers } = host
  const wrote = await host.send('POST', '/api/v1/content/datatypes', { headers, json: article })
  assert.equal(wrote.status, 201, wrote.text)
  await host.admin('POST', '/audit_log/breaker/reset')
  const failures = /plugin_hook_after_total\{[^}]*table="host_actions"[^}]*status="error"[^}]*\} [1-9]/
  await until('it is counted', async () =>
    failures.test((await host.send('GET', '/metrics', { headers })).text),
  )
  rename('away', 'plugin_audit_log_events')
  await seen(host, headers, 'datatypes.create')
  await seen(host, headers, 'plugin.reset_breaker')
  assert.equal((await pageOf(host, headers)).events.length, 2)
})

it('FL-17: a stop right behind a write loses nothing, and nothing is kept twice', async (test) => {
  const place = await createWorkplace(test, { bundledPlugins: ['audit_log'], executors: 1 })
  const token = 'an-admin-token-for-tests-of-the-audit-log-0123456789'
  const headers = { authorization: `Bearer ${token}` }
  const environment = { MODULACMS_ADMIN_TOKEN: token, MODULACMS__LOG__LEVEL: 'warn' }
  const first = await place.serve([], environment)
  const { code, err } = await place.run(
    ['plugin', 'approve', 'audit_log', '--all', '--yes', '--url', first.url],
    environment,
  )
  assert.equal(code, 0, err)
  const client = createHttpClient(first.url)
  const names = Array.from({ length: 20 }, (_, n) => `kind_${n}`)
  const writes = await Promise.all(
    names.map((name) =>
      client.send('POST', '/api/v1/content/datatypes', { headers, json: { ...article, name } }),
    ),
  )
  const reload = client.send('POST', '/api/v1/admin/plugins/audit_log/breaker/reset', { headers })
  assert.equal((await reload).status, 200)
  first.process.kill('SIGTERM')
  for (const { status, text } of writes) assert.equal(status, 201, text)
  client.close()
  assert.equal((await first.ended).code, 0)

  const again = await place.serve([], environment)
  const reader = createHttpClient(again.url)
  test.after(() => reader.close())
  const kept = async (action: string): Promise<readonly Event[]> => {
    const answer = await reader.send('GET', `/api/v1/plugins${events}?limit=100&action=${action}`, {
      headers,
    })
    assert.equal(answer.status, 200, answer.text)
    return answer.json<Page>().events
  }
  await until('all are kept', async () => (await kept('datatypes.create')).length >= names.length)
  await until('the reset is kept', async () => (await kept('plugin.reset_breaker')).length >= 1)
  const ids = (await kept('datatypes.create')).map(({ resource_id: id }) => id)
  assert.equal(new Set(ids).size, names.length)
  assert.equal(ids.length, names.length)
})
