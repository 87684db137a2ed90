import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createDatabase } from '../../../src/database/database.js'
import { openSqlite } from '../../../src/database/sqlite.js'
import { readContext } from '../../../src/policies/context.js'
import { tryReadPolicy } from '../../../src/policies/policy-reader.js'
import { PolicyService } from '../../../src/policies/policy-service.js'
import { context, document, engineOf, permits } from '../../helpers/policies.js'

// Mistakes that engines of this kind are known for. None of them is here.

const directory = mkdtempSync(join(tmpdir(), 'modulacms-policies-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const quiet = { warn: () => undefined }

test('deny-unless-permit and permit-unless-deny are what their names say', async () => {
  const nobody = [{ id: 'p', subjects: [{ role: 'admin' }] }]
  const unlessPermit = engineOf(nobody, { algorithm: 'deny-unless-permit', defaultEffect: 'permit' })
  assert.equal((await unlessPermit.evaluate(context())).effect, 'deny')
  const unlessDeny = engineOf(nobody, { algorithm: 'permit-unless-deny', defaultEffect: 'deny' })
  assert.equal((await unlessDeny.evaluate(context())).effect, 'permit')
  // With priorities against them, as first-applicable would go by.
  const both = [{ id: 'd', effect: 'deny' as const, priority: 9 }, { id: 'p' }]
  const permitted = engineOf(both, { algorithm: 'deny-unless-permit' })
  assert.equal((await permitted.evaluate(context())).effect, 'permit')
  const low = [
    { id: 'd', effect: 'deny' as const },
    { id: 'p', priority: 9 },
  ]
  const denied = engineOf(low, { algorithm: 'permit-unless-deny' })
  assert.equal((await denied.evaluate(context())).effect, 'deny')
})

test('nobody known and no policy at all are denied by default', async () => {
  const decision = await engineOf([]).evaluate(readContext({}))
  assert.equal(decision.effect, 'deny')
  assert.equal(decision.decidedBy, undefined)
  assert.equal(decision.reason, 'No policy applies; the default is to deny.')
  const disabled = await engineOf([{ id: 'a', enabled: false }]).evaluate(readContext({}))
  assert.equal(disabled.effect, 'deny')
})

test('the text of X-Forwarded-For is no address, and lets nobody in', async () => {
  const ip = '10.0.0.1, 203.0.113.9'
  const lists = [{ allow: ['10.0.0.1'] }, { deny: ['203.0.113.9'] }]
  for (const list of lists) {
    assert.equal(await permits({ conditions: [{ type: 'ip', ...list }] }, { environment: { ip } }), false)
    const denying = engineOf([
      { id: 'd', effect: 'deny', conditions: [{ type: 'ip', ...list }] },
      { id: 'p' },
    ])
    assert.equal((await denying.evaluate(context({ environment: { ip } }))).effect, 'deny')
  }
})

test('what a policy says is enforced, or refused when it is written', async () => {
  const blocks = { conditions: [{ type: 'ip' as const, allow: ['10.0.0.0/8'] }] }
  assert.equal(await permits(blocks, { environment: { ip: '11.0.0.1' } }), false)
  assert.equal(await permits(blocks, { environment: { ip: '10.9.8.7' } }), true)
  const owned = { resources: [{ owner: 'self' as const }] }
  assert.equal(await permits(owned, { resource: { attributes: { owner: 'somebody else' } } }), false)
  for (const condition of [
    { type: 'custom' },
    { type: 'ip', cidr: '10.0.0.0/8' },
    { type: 'custom', code: 'x' },
  ]) {
    assert.ok('problems' in tryReadPolicy({ ...document({ id: 'p' }), conditions: [condition] }))
  }
})

test('no text of a policy is a regular expression', async () => {
  const slow = '(a+)+$'
  const parts = { subjects: [{ role: slow }], resources: [{ path: `/${slow}`, app: slow }] }
  assert.equal(
    await permits(parts, { subject: { roles: [slow] }, resource: { path: `/${slow}`, app: slow } }),
    true,
  )
  const bait = 'a'.repeat(5000)
  const fished = { subject: { roles: [`${bait}!`] }, resource: { path: `/${bait}!`, app: `${bait}!` } }
  assert.equal(await permits(parts, fished), false)
  assert.equal(await permits({ resources: [{ path: '/a|/b' }] }, { resource: { path: '/b' } }), false)
  assert.equal(await permits({ subjects: [{ role: '.' }] }, { subject: { roles: ['x'] } }), false)
})

test('a stored policy that cannot be used never lets anybody in, and throws at nobody', async () => {
  const file = join(directory, 'broken.db')
  const database = await createDatabase({ file })
  const warned: string[] = []
  const service = await PolicyService.open({ database, log: { warn: (_, message) => warned.push(message) } })
  await service.create(document({ id: 'all' }), { by: 'me' })
  await service.create(document({ id: 'broken', effect: 'deny', resources: [{ path: '/a' }] }), { by: 'me' })
  assert.equal((await service.evaluate(context())).effect, 'permit')

  const other = openSqlite({ file, busyTimeoutMs: 1000 })
  const store = (text: string) => {
    other.prepare("update policies set policy_json = ? where id = 'broken'").run(text)
    return service.reload()
  }
  const unusable = [
    '{"resources":[{"path":"("}]}',
    'no json',
    '[]',
    '{"id":"all"}',
    JSON.stringify(document({ id: 'x' })),
  ]
  for (const text of unusable) {
    await store(text)
    const { effect, decidedBy, failure } = await service.evaluate(context())
    const isPermit = text.includes('"permit"')
    assert.equal(effect, isPermit ? 'permit' : 'deny', text)
    if (!isPermit) assert.equal(decidedBy, 'broken')
    if (!isPermit) assert.match(failure ?? '', /the stored policy cannot be used/)
    assert.ok(service.get('broken').problems.length > 0)
    assert.equal(service.get('broken').policy, undefined)
    assert.equal(service.summary().unusable, 1)
    assert.equal((await service.explain(context())).policies.length, 2)
  }
  assert.ok(warned.every((message) => /cannot be used/.test(message)) && warned.length >= unusable.length)

  // It can be mended, and deleted.
  await store('no json')
  await assert.rejects(service.update('broken', { effect: 'deny' }, { by: 'me' }), { code: 'POLICY_INVALID' })
  await service.replace('broken', document({ id: 'broken', resources: [{ path: '/a' }] }), { by: 'me' })
  assert.equal((await service.evaluate(context())).effect, 'permit')
  await store('no json')
  await service.delete('broken', { by: 'me' })
  assert.equal((await service.evaluate(context())).effect, 'permit')
  other.close()
  await database.close()
})

test('a change that is refused or cannot be stored is neither in force nor kept', async () => {
  const file = join(directory, 'refused.db')
  const database = await createDatabase({ file, busyRetryMs: 30 })
  const service = await PolicyService.open({ database, log: quiet })
  await assert.rejects(service.create({ ...document({ id: 'p' }), resources: [{ path: '(' }] }, { by: 'me' }))
  const other = openSqlite({ file, busyTimeoutMs: 0 })
  other.exec('begin immediate')
  await assert.rejects(service.create(document({ id: 'p' }), { by: 'me' }), { code: 'DATABASE_BUSY' })
  other.exec('rollback')
  assert.equal((await service.evaluate(context())).effect, 'deny')
  assert.deepEqual(service.list(), [])
  await assert.rejects(service.history('p'), { code: 'POLICY_NOT_FOUND' })
  other.close()
  await database.close()
})

test('who changed what is known', async () => {
  const database = await createDatabase({ file: join(directory, 'by.db') })
  const service = await PolicyService.open({ database, log: quiet, now: () => 1000 })
  await service.create(document({ id: 'p' }), { by: 'ada' })
  await service.update('p', { enabled: false }, { by: 'bob' })
  assert.deepEqual(
    (await service.history('p')).map(({ version, change, changedBy, changedAt }) => [
      version,
      change,
      changedBy,
      changedAt,
    ]),
    [
      [2, 'update', 'bob', 1000],
      [1, 'create', 'ada', 1000],
    ],
  )
  await database.close()
})

test('a time that arrives as text is a time, and one that is none is refused with its place', async () => {
  const engine = engineOf([{ id: 'p', conditions: [{ type: 'time', after: '09:00', before: '18:00' }] }])
  const at = (time: unknown) => readContext({ environment: { time } })
  assert.equal((await engine.evaluate(at('2026-03-04T12:00:00Z'))).effect, 'permit')
  assert.equal((await engine.evaluate(at('2026-03-04T20:00:00Z'))).effect, 'deny')
  assert.equal((await engine.evaluate(at(Date.parse('2026-03-04T12:00:00Z')))).effect, 'permit')
  assert.throws(() => at('noon'), /environment\.time must be RFC 3339/)
})

test('no ending of a path goes past the policies', async () => {
  const engine = engineOf([
    { id: 'd', effect: 'deny', resources: [{ path: '/api/**' }] },
    { id: 'p', resources: [{ path: '/site/**' }] },
  ])
  for (const path of ['/api/secrets.json', '/api/x.css', '/api/public/x', '/api/health', '/x.js']) {
    assert.equal((await engine.evaluate(context({ resource: { path } }))).effect, 'deny', path)
  }
})
