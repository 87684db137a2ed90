import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { plugin, startHost, type TestHost, useHost } from '../helpers/create-host.js'
import { ownColumns } from '../helpers/migration-world.js'

const issuer = 'https://issuer.example'
const secret = 'a-secret-of-at-least-thirty-two-characters'

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

function sign(roles: readonly string[], expiresIn = 600): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: issuer, aud: 'app', sub: 'ann', iat: now - 900, exp: now + expiresIn, roles }
  const text = `${encode({ alg: 'HS256' })}.${encode(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

const workers = plugin(
  'workers',
  `auth.authenticator("worker_token", function() end, { bearer = "wt_" })
http.handle("GET", "/me", function() return { json = {} } end)
http.handle("GET", "/you", function() return { json = {} } end)
db.migration(20260101000000, "a table of notes", {
  up = "CREATE TABLE plugin_workers_notes (${ownColumns}, title TEXT NOT NULL) STRICT",
})`,
  '1.2.0',
)

interface Details {
  readonly details?: {
    readonly plugins: readonly Readonly<Record<string, unknown>>[]
    readonly warnings: readonly string[]
  }
}

const settings = (rules: readonly object[]) => ({
  'auth.authenticators': { jwt: { type: 'jwt', issuer, audience: 'app', secret } },
  'auth.roles': { looker: ['plugins:read'], writer: ['content:*'] },
  'auth.http.rules': [...rules, { paths: ['/work/**'], authenticators: ['worker_token'] }],
})

const ask = (server: TestHost, path: string, token?: string) =>
  server.send('GET', path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })

/** What only those read who may. */
const secretWords = ['worker_token', 'migrations_applied', 'circuit', 'warnings', 'auth.http']

for (const [where, rules] of [
  ['where no rule is for it', []],
  ['where a rule makes it public', [{ paths: ['/health'], authenticators: [] }]],
  ['where a rule guards it', [{ paths: ['/health'], authenticators: ['jwt', 'admin_token'] }]],
] as const) {
  describe(`the details of health, ${where}`, () => {
    const server = useHost({ plugins: { 'workers/init.lua': workers }, config: settings(rules) })
    const isGuarded = where.endsWith('guards it')

    it('are for those who may look at plugins', async () => {
      for (const token of [server().host.adminToken.token, sign(['looker'])]) {
        const answer = await ask(server(), '/health?detail=1', token)
        assert.equal(answer.status, 200, answer.text)
        assert.equal(answer.headers['cache-control'], 'no-store')
        assert.deepEqual(answer.json<Details>().details?.plugins, [
          {
            name: 'workers',
            version: '1.2.0',
            state: 'running',
            circuit: 'closed',
            migrations_applied: 1,
            routes: 2,
            authenticators: [{ name: 'worker_token', state: 'ready' }],
            authorizers: [],
          },
        ])
      }
    })

    it('are refused as a whole to everybody else', async () => {
      const table: readonly (readonly [token: string | undefined, status: number])[] = [
        [undefined, 401],
        ['nonsense', 401],
        [sign(['looker'], -300), 401],
        [sign(['writer']), 403],
        [sign([]), 403],
      ]
      for (const [token, status] of table) {
        for (const query of ['detail=1', 'detail=true', 'detail=0&detail=1', 'detail=yes']) {
          const answer = await ask(server(), `/health?${query}`, token)
          assert.equal(answer.status, status, `${token} ${query}: ${answer.text}`)
          for (const word of [...secretWords, '"plugins"'])
            assert.ok(!answer.text.includes(word), answer.text)
        }
      }
    })

    it('are not in what everybody may read', async () => {
      for (const path of ['/health', '/_/health', '/health?detail=0', '/health?other=1']) {
        const isShut = isGuarded && path.startsWith('/health')
        const answer = await ask(server(), path)
        assert.equal(answer.status, isShut ? 401 : 200, path)
        for (const word of secretWords) assert.ok(!answer.text.includes(word), answer.text)
      }
    })
  })
}

it('warns of what was hardly meant, and is degraded where a rule names somebody who is not asked', async (t) => {
  const rules = [
    { paths: ['/a/**'], authenticators: [] },
    { paths: ['/a/b'], authenticators: ['jwt'] },
  ]
  const server = await startHost(t, { plugins: { 'workers/init.lua': workers }, config: settings(rules) })
  const look = async () => {
    const answer = await ask(server, '/_/health?detail=1', server.host.adminToken.token)
    return answer.json<Details & { status: string; checks: { auth: { held: number } } }>()
  }
  const before = await look()
  assert.deepEqual([before.status, before.checks.auth.held], ['healthy', 0])
  assert.match(before.details?.warnings.join() ?? '', /rules\[1\] holds for no request/)
  await server.admin('POST', '/workers/disable')
  const after = await look()
  assert.deepEqual([after.status, after.checks.auth.held], ['degraded', 1])
  assert.match(
    after.details?.warnings.join() ?? '',
    /worker_token is not asked: its plugin workers does not run/,
  )
  assert.deepEqual(after.details?.plugins[0]?.authenticators, [{ name: 'worker_token', state: 'held' }])
  assert.equal(after.details?.plugins[0]?.routes, 0)
})
