import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import Sqlite from 'better-sqlite3'
import { type LogLine, plugin, startHost, type TestHost } from './create-host.js'
import type { Partner } from './forged-tokens.js'
import { listen, portOf } from './proxy-world.js'
import { type RawReply, sendRaw } from './raw-http.js'
import { startTokenIssuer, type TokenIssuer } from './token-issuer.js'

/** Where the plugin of this world is; its routes below are guarded by rules that differ. */
export const vault = '/api/v1/plugins/vault'

/** What nobody reads who may not: answers of guarded handlers have it, and what admins are told. */
export const secretText = 'the-guarded-text'

const vaultSource = `
function on_init() db.define_table("runs", { columns = { { name = "what", type = "text" } } }) end
local function guarded(req)
  db.insert("runs", { what = req.method .. " " .. req.path })
  return { json = { text = "${secretText}", identity = req.identity, headers = req.headers } }
end
local function open(req) return { json = { identity = req.identity } } end
local public = { public = true }
http.handle("GET", "/open", open, public)
http.handle("GET", "/written", open, public)
for _, path in ipairs({ "/open", "/written", "/changed" }) do http.handle("POST", path, guarded, public) end
for _, path in ipairs({ "/known", "/admin/x", "/admin/a/b", "/partner/x", "/tenants/{id}/data", "/operator/x",
  "/session/x", "/session-admin/x", "/key/x", "/password/x", "/chain/x" }) do
  http.handle("GET", path, guarded, public)
  http.handle("POST", path, guarded, public)
end
http.handle("GET", "/rest/{path...}", guarded, public)`

/** A host whose rules guard a plugin, a server behind it, and its own operations, each in another way. */
export interface GuardedWorld {
  readonly server: TestHost
  readonly port: number
  readonly issuer: TokenIssuer
  /** Publishes keys, too, but nobody has said to trust it. */
  readonly evil: TokenIssuer
  readonly partner: Partner
  readonly adminToken: string
  readonly lines: readonly LogLine[]
  /** How often something ran that a rule guards: a handler, the server behind, a change by an admin. */
  reached(): number
  /** See `sendRaw`. */
  raw(text: string, options?: Parameters<typeof sendRaw>[2]): Promise<RawReply>
}

/** Settings of rules, with what they guard. */
const rules = [
  { paths: ['/health', `${vault}/open`, '/site/public/**'], methods: ['GET'], authenticators: [] },
  { paths: [`${vault}/written`], methods: ['POST'], authenticators: ['jwt'], authorizer: 'admin_only' },
  { paths: [`${vault}/written`], authenticators: [] },
  { paths: [`${vault}/admin/**`, '/site/admin/**'], authenticators: ['jwt'], authorizer: 'admin_only' },
  { paths: [`${vault}/partner/**`], authenticators: ['partner'] },
  { paths: [`${vault}/operator/**`], authenticators: ['admin_token'] },
  { paths: [`${vault}/session/**`, '/site/session/**'], authenticators: ['session'] },
  { paths: [`${vault}/session-admin/**`], authenticators: ['session'], authorizer: 'admin_only' },
  { paths: [`${vault}/key/**`], authenticators: ['api_key'] },
  { paths: [`${vault}/password/**`], authenticators: ['password'] },
  { paths: [`${vault}/chain/**`], authenticators: ['session', 'jwt'] },
  {
    paths: [`${vault}/tenants/**`],
    authenticators: ['jwt'],
    authorizer: 'tenant_scope',
    tenant: 'segment:6',
  },
  { paths: ['/site/tenants/**'], authenticators: ['jwt'], authorizer: 'tenant_scope', tenant: 'segment:3' },
  { paths: ['/api/v1/admin/**'], authenticators: ['jwt', 'admin_token'] },
]

/** Starts one; it goes with the test. @param more Settings beside these. */
export async function startGuardedWorld(
  test: TestContext,
  more: Readonly<Record<string, unknown>> = {},
): Promise<GuardedWorld> {
  const [issuer, evil] = await Promise.all([startTokenIssuer(test), startTokenIssuer(test)])
  const partner = { issuer: 'https://partner.example', secret: 'a-secret-of-at-least-thirty-two-characters' }
  let behind = 0
  const upstream = createServer((_request, response) => {
    behind += 1
    response.end(secretText)
  })
  upstream.on('upgrade', (_request, socket) => {
    behind += 1
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  })
  await listen(test, upstream)
  const server = await startHost(test, {
    plugins: {
      'vault/init.lua': plugin('vault', vaultSource),
      'victim/init.lua': `plugin_info = { name = "victim", version = "1", description = "${secretText}" }`,
    },
    config: {
      'auth.authenticators': {
        jwt: { type: 'jwt', issuer: issuer.issuer, audience: 'app', jwksUri: issuer.jwksUri },
        partner: { type: 'jwt', issuer: partner.issuer, audience: ['app'], secret: partner.secret },
      },
      'auth.http.authenticators': ['jwt', 'partner'],
      'auth.http.rules': rules,
      // Guesses are counted elsewhere.
      'auth.login.attempts': 1000,
      'auth.login.perAddress': 10_000,
      'auth.roles': { reader: ['metrics:read'] },
      'gateway.proxy.rules': [
        { pattern: '^/site/', target: `http://127.0.0.1:${portOf(upstream)}`, ws: true },
      ],
      ...more,
    },
  })
  const file = new Sqlite(join(server.dataDirectory, 'modula.db'), { readonly: true })
  test.after(() => file.close())
  const counted = file.prepare<[], { runs: number; stopped: number }>(
    `SELECT (SELECT count(*) FROM plugin_vault_runs) AS runs,
      (SELECT count(*) FROM plugins WHERE name = 'victim' AND status = 'disabled') AS stopped`,
  )
  const port = Number(new URL(server.url).port)
  return {
    server,
    port,
    issuer,
    evil,
    partner,
    adminToken: server.host.adminToken.token,
    lines: server.lines,
    reached() {
      const { runs, stopped } = counted.get() ?? assert.fail('the tables are gone')
      return behind + runs + stopped
    },
    raw: (text, options) => sendRaw(port, text, options),
  }
}
