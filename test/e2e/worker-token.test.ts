import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { openSqlite } from '../../src/database/sqlite.js'
import { bundledPlugin } from '../helpers/bundled-plugin.js'
import { plugin, startHost, type TestHost } from '../helpers/create-host.js'
import type { Answer } from '../helpers/http-client.js'
import { startTokenIssuer, type TokenIssuer } from '../helpers/token-issuer.js'
import { until } from '../helpers/until.js'

const tokens = '/worker_token/tokens'
const secret = 'a-secret-of-the-worker-tokens-0123456789'

const place = plugin(
  'place',
  `local function me(req) return { json = req.identity } end
http.handle("GET", "/work", me)
http.handle("GET", "/desk", me)`,
)

interface Made {
  readonly id: string
  readonly token: string
  readonly expires_at: string
}

interface World {
  readonly host: TestHost
  readonly issuer: TokenIssuer
  /** Signs somebody in, an admin of `acme` unless the claims say otherwise. */
  sign(claims?: Readonly<Record<string, unknown>>): Promise<Record<string, string>>
  /** Makes a token. */
  make(headers: Readonly<Record<string, string>>): Promise<Made>
  /** What the database has of a plugin's table. */
  rows(text: string): Record<string, unknown>[]
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

async function start(test: TestContext): Promise<World> {
  const issuer = await startTokenIssuer(test)
  const jwt = { type: 'jwt', issuer: issuer.issuer, audience: 'app', jwksUri: issuer.jwksUri }
  const base = '/api/v1/plugins'
  const host = await startHost(test, {
    plugins: { ...bundledPlugin('worker_token'), 'place/init.lua': place },
    config: {
      'auth.authenticators': { jwt },
      'auth.http.rules': [
        { paths: [`${base}/place/work`], authenticators: ['worker-token', 'jwt'] },
        { paths: [`${base}/place/desk`], authenticators: ['jwt'] },
        { paths: [`${base}/worker_token/**`], authenticators: ['worker_token', 'jwt', 'admin_token'] },
      ],
      plugins: { 'worker-token': { secret } },
    },
  })
  const sign: World['sign'] = async (claims = {}) =>
    bearer(await issuer.sign({ sub: 'ann', roles: ['admin'], tenant: 'acme', ...claims }))
  return {
    host,
    issuer,
    sign,
    async make(headers) {
      const answer = await host.call('POST', tokens, { headers, json: { display_name: 'packer' } })
      assert.equal(answer.status, 201, answer.text)
      return answer.json<Made>()
    },
    rows(text) {
      const database = openSqlite({
        file: join(host.dataDirectory, 'modula.db'),
        busyTimeoutMs: 1000,
        mustExist: true,
      })
      try {
        return database.prepare(text).all() as Record<string, unknown>[]
      } finally {
        database.close()
      }
    },
  }
}

const outcome = ({ status, text }: Answer): string =>
  status < 300 ? String(status) : `${status} ${(JSON.parse(text) as { code?: string }).code ?? ''}`.trim()

it('FL-16: a worker token is shown once, opens what its rules say, and ends when it is revoked or old', async (test) => {
  const { host, sign, make, rows } = await start(test)
  const ann = await sign()
  const work = async (token: string) =>
    outcome(await host.call('GET', '/place/work', { headers: bearer(token) }))
  const { id, token, expires_at: expires } = await make(ann)
  assert.match(token, /^fwt_[\w-]{12}_[\w-]{43}$/)
  assert.ok(Date.parse(expires) > Date.now() + 29 * 24 * 3600 * 1000, expires)

  const [row] = rows('SELECT * FROM plugin_worker_token_tokens')
  assert.match(String(row?.token_hash), /^[0-9a-f]{64}$/)
  assert.ok(!JSON.stringify(row).includes(token.slice(17)), 'nothing of the secret part is stored')
  assert.equal(row?.last_used_at, null)

  const worker = await host.call('GET', '/place/work', { headers: bearer(token) })
  assert.deepEqual(worker.json(), {
    type: 'worker',
    id,
    tenant_id: 'acme',
    roles: [],
    groups: [],
    attributes: { display_name: 'packer' },
    authenticator: 'worker_token',
  })
  await until(
    'the use was noted',
    () => rows('SELECT last_used_at FROM plugin_worker_token_tokens')[0]?.last_used_at,
  )

  assert.equal(await work(`${token.slice(0, -1)}${token.endsWith('A') ? 'E' : 'A'}`), '401 AUTH_INVALID')
  assert.equal(
    outcome(await host.call('GET', '/place/work', { headers: ann })),
    '200',
    'a JWT goes on to jwt',
  )
  assert.equal(outcome(await host.call('GET', '/place/desk', { headers: bearer(token) })), '401 AUTH_INVALID')

  const list = await host.call('GET', tokens, { headers: ann })
  assert.equal(list.json<{ tokens: { id: string }[] }>().tokens[0]?.id, id)
  for (const text of [
    token.slice(17),
    token.slice(0, 16),
    String(row?.token_hash),
    'token_hash',
    'token_prefix',
  ]) {
    assert.ok(!list.text.includes(text), `the list tells ${text}`)
  }

  const bob = await sign({ sub: 'bob', tenant: 'other' })
  for (const method of ['GET', 'DELETE']) {
    assert.equal((await host.call(method, `${tokens}/${id}`, { headers: bob })).status, 404)
  }
  assert.deepEqual(
    (await host.call('GET', tokens, { headers: bob })).json<{ tokens: unknown[] }>().tokens,
    [],
  )
  const json = { display_name: 'x' }
  const post = async (headers?: Record<string, string>) =>
    (await host.call('POST', tokens, { json, ...(headers && { headers }) })).status
  assert.equal(await post(), 401, 'nobody')
  assert.equal(await post(await sign({ tenant: undefined })), 403, 'no tenant')
  assert.equal(await post(host.credentials as Record<string, string>), 403, 'the admin token has no tenant')
  assert.equal(await post(await sign({ roles: ['packer'] })), 403, 'no admin')
  assert.equal(await post(bearer(token)), 403, 'a worker')

  const second = await make(ann)
  for (let times = 0; times < 2; times += 1) {
    assert.equal((await host.call('DELETE', `${tokens}/${id}`, { headers: ann })).status, 204)
  }
  assert.equal(await work(token), '401 AUTH_INVALID', 'revoked')
  assert.equal(await work(second.token), '200')
  await host.close()
  const file = join(host.dataDirectory, 'modula.db')
  const database = openSqlite({ file, busyTimeoutMs: 1000, mustExist: true })
  database.prepare("UPDATE plugin_worker_token_tokens SET expires_at = '2020-01-01T00:00:00Z'").run()
  database.close()
  await host.restart()
  assert.equal(await work(second.token), '401 AUTH_EXPIRED')
  const log = JSON.stringify(host.lines)
  for (const each of [token, second.token, secret]) assert.ok(!log.includes(each), 'no credential is logged')
})

it('worker_token lets nobody in by what is nearly a token', async (test) => {
  const { host, sign, make } = await start(test)
  const ann = await sign()
  const { token } = await make(ann)
  const other = await make(ann)
  const tries = [
    'fwt_',
    token.slice(0, 16),
    token.slice(0, 17),
    token.slice(0, -1),
    `${token}A`,
    token.toUpperCase(),
    // The one half of a token with the other half of another.
    token.slice(0, 17) + other.token.slice(17),
    token.replace('_', '-'),
    `fwt_${'%'.repeat(12)}_${'A'.repeat(43)}`,
    `fwt_${"' OR 1=1 --".padEnd(12, 'x')}_${'A'.repeat(43)}`,
    `fwt_${'A'.repeat(500)}`,
  ]
  for (const each of tries) {
    const { status } = await host.call('GET', '/place/work', { headers: bearer(each) })
    assert.equal(status, 401, each)
  }
  const wrong = [
    { display_name: 'x', tenant_id: 'other' },
    { display_name: ['x'] },
    { display_name: 'x'.repeat(300) },
    {},
    [],
    'x',
  ]
  for (const json of wrong) {
    assert.equal((await host.call('POST', tokens, { headers: ann, json })).status, 400, JSON.stringify(json))
  }
  assert.equal((await host.call('GET', '/place/work', { headers: bearer(token) })).status, 200)
  // A worker of the name of an admin is still a worker.
  const admin = await host.send('GET', '/api/v1/admin/plugins', { headers: bearer(token) })
  assert.ok([401, 403].includes(admin.status), String(admin.status))
})
