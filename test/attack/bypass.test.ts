import assert from 'node:assert/strict'
import { test } from 'node:test'
import { password } from '../helpers/account-host.js'
import { encodePart, signWithSecret } from '../helpers/forged-tokens.js'
import { type GuardedWorld, secretText, startGuardedWorld, vault } from '../helpers/guarded-world.js'
import { basic, createAccounts, forgeryRows, keyRows, sessionRows, tokenOf } from './bypass/account-rows.js'
import { connectionRows } from './bypass/connection-rows.js'
import { claimRows, headerRows, methodRows } from './bypass/header-rows.js'
import { pathRows, tenantRows } from './bypass/path-rows.js'
import { type Bypass, bearer, refusals, single } from './bypass/row.js'
import { equalSpellingsOf } from './bypass/spellings.js'
import { carriageRows, otherRows, tokenRows } from './bypass/token-rows.js'

/** Sends one attempt; gives what is wrong with how it was met. */
async function problemOf(world: GuardedWorld, row: Bypass): Promise<string | undefined> {
  const before = world.reached()
  const { statuses, text } = await world.raw(row.text, { isHead: row.text.startsWith('HEAD ') })
  const runs = world.reached() - before
  const { statuses: expected = refusals, all, runs: wanted = 0 } = row
  const shown = `${row.name}: ${statuses.join(' ')}, ${runs} reached`
  if (runs !== wanted) return shown
  const isMet =
    all === undefined
      ? statuses.length === 1 && expected.includes(statuses[0] ?? 0)
      : statuses.join() === all.join()
  if (!isMet) return shown
  return wanted === 0 && text.includes(secretText) ? `${shown}, with what it guards` : undefined
}

test('nobody gets past the rules', { timeout: 240_000 }, async (t) => {
  const world = await startGuardedWorld(t)
  const { issuer, partner, adminToken } = world
  const accounts = await createAccounts(t, world)
  const { ann, key } = accounts
  const admin = bearer(await issuer.sign({ roles: ['admin'], tenant: 'acme' }))

  /** What is right gets in: so the table would find what does not keep anybody out. */
  const assertOpen = async (): Promise<void> => {
    const sent: readonly (readonly [target: string, headers: readonly string[], method?: string])[] = [
      ...Object.values(equalSpellingsOf(`${vault}/admin/x`)).map((target) => [target, admin] as const),
      ...Object.values(equalSpellingsOf('/site/admin/x')).map((target) => [target, admin] as const),
      [`${vault}/known`, admin],
      [`${vault}/known`, [`authorization: bearer   ${admin[0]?.slice(22)}`]],
      [`${vault}/tenants/acme/data`, admin],
      [`${vault}/tenants/%61cme/data`, admin],
      ['/site/tenants/acme/data', admin],
      [`${vault}/partner/x`, bearer(await partnerToken())],
      [`${vault}/operator/x`, bearer(adminToken)],
      [`${vault}/written`, admin, 'POST'],
      ['/site/public/x', []],
      [`${vault}/session/x`, [`Cookie: a=b; ${ann.cookie}`]],
      [`${vault}/session/x`, [`X-Session-Id: ${tokenOf(ann)}`]],
      [`${vault}/session/x`, [`X-Session-Id: ${tokenOf(ann)}`], 'POST'],
      [
        `${vault}/session/x`,
        [`Cookie: ${ann.cookie}`, `X-CSRF-Token: ${ann.csrf}`, 'Origin: http://host.example'],
        'POST',
      ],
      [`${vault}/session-admin/x`, [`Cookie: ${ann.cookie}`]],
      ['/site/session/x', [`Cookie: ${ann.cookie}`]],
      [`${vault}/key/x`, [`X-API-Key: ${key}`]],
      [`${vault}/key/x`, bearer(key)],
      [`${vault}/password/x`, [basic('ann', password)]],
    ]
    for (const [target, headers, method] of sent) {
      const before = world.reached()
      const { statuses } = await world.raw(single(target, headers, method))
      assert.deepEqual([statuses, world.reached() - before], [[200], 1], target)
    }
    for (const headers of [admin, bearer(adminToken)]) {
      const { text } = await world.raw(single('/api/v1/admin/plugins', headers))
      assert.ok(text.includes(secretText), 'admins read of plugins')
    }
    const changes = ['disable', 'enable'].map((order) =>
      single(`/api/v1/admin/plugins/victim/${order}`, admin, 'POST'),
    )
    const before = world.reached()
    await world.raw(changes[0] ?? '')
    assert.equal(world.reached(), before + 1, 'a change of an admin is seen')
    await world.raw(changes[1] ?? '')
    assert.equal(world.reached(), before)
  }
  const partnerToken = async () => {
    const claims = { iss: partner.issuer, aud: 'app', sub: 'bob', exp: Math.floor(Date.now() / 1000) + 300 }
    return signWithSecret({ alg: 'HS256' }, claims, partner.secret)
  }

  await t.test('what is right gets in', assertOpen)
  const tables: Readonly<Record<string, readonly Bypass[]>> = {
    'spellings of paths': await pathRows(world),
    'spellings of tenants': await tenantRows(world),
    'forged and stale tokens': await tokenRows(world),
    'good tokens where nobody takes them': await carriageRows(world),
    'credentials for something else': await otherRows(world),
    'headers that claim something': headerRows(),
    'headers that claim more than a credential': await claimRows(world),
    'methods and their spellings': methodRows(),
    'sessions that are over, forged or sent elsewhere': sessionRows(accounts),
    'requests that pages of other sites forge': forgeryRows(accounts),
    'keys and passwords': keyRows(accounts),
    'connections, upgrades and versions of HTTP': await connectionRows(world),
  }
  for (const [name, rows] of Object.entries(tables)) {
    await t.test(`${name} (${rows.length})`, async () => {
      const problems: string[] = []
      for (const row of rows) {
        const problem = await problemOf(world, row)
        if (problem !== undefined) problems.push(problem)
      }
      assert.deepEqual(problems, [])
    })
  }
  await t.test('no keys were fetched from where a token says', () => assert.equal(world.evil.fetches(), 0))
  await t.test('what is right still gets in', assertOpen)
  await t.test('no token is in the log', () => {
    const log = JSON.stringify(world.lines)
    for (const secret of [
      password,
      key,
      tokenOf(ann),
      adminToken,
      partner.secret,
      admin[0]?.slice(22) ?? '',
      encodePart({ alg: 'none' }),
    ])
      assert.ok(!log.includes(secret))
  })
})
