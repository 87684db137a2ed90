import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { policyLimits } from '../../../src/base/limits/policies.js'
import { type CoreDatabase, createDatabase } from '../../../src/database/database.js'
import { Follower } from '../../../src/gateway/follower.js'
import type { SeedOptions } from '../../../src/policies/configured-policies.js'
import { PolicyService, type PolicyServiceOptions } from '../../../src/policies/policy-service.js'
import { context, document } from '../../helpers/policies.js'
import { until } from '../../helpers/until.js'

const directory = mkdtempSync(join(tmpdir(), 'modulacms-policies-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const quiet = { warn: () => undefined }
const me = { by: 'me' }

interface Opened {
  readonly service: PolicyService
  readonly database: CoreDatabase
  readonly file: string
}

async function open(
  test: TestContext,
  file: string = join(directory, `${test.name.replaceAll(/\W/g, '-').slice(0, 60)}.db`),
  options: Partial<PolicyServiceOptions> = {},
): Promise<Opened> {
  const database = await createDatabase({ file })
  test.after(() => database.close())
  return { database, file, service: await PolicyService.open({ database, log: quiet, ...options }) }
}

test('policies are created, replaced, changed and deleted, each with a version, and are in force at once', async (t) => {
  let nowMs = 1000
  const { service } = await open(t, undefined, { now: () => nowMs })
  const created = await service.create(document({ id: 'p', name: 'One' }), { by: 'ada' })
  assert.deepEqual(
    { ...created, policy: created.policy?.name },
    {
      ...{ id: 'p', source: 'database', version: 1, problems: [], priority: 0, policy: 'One' },
      ...{ createdAt: 1000, changedAt: 1000, changedBy: 'ada' },
    },
  )
  assert.equal((await service.evaluate(context())).decidedBy, 'p')

  nowMs = 2000
  const replaced = await service.replace('p', document({ id: 'p', effect: 'deny' }), {
    by: 'bob',
    version: 1,
  })
  assert.equal(replaced.version, 2)
  assert.equal(replaced.createdAt, 1000)
  assert.equal(replaced.changedAt, 2000)
  assert.equal(replaced.changedBy, 'bob')
  assert.equal(replaced.policy?.name, '')
  assert.equal((await service.evaluate(context())).effect, 'deny')

  const updated = await service.update('p', { effect: 'permit', description: 'Fine.' }, { ...me, version: 2 })
  assert.equal(updated.version, 3)
  assert.equal((await service.evaluate(context())).reason, 'Fine.')
  const reset = await service.update('p', { description: null }, me)
  assert.equal(reset.policy?.description, '')
  assert.deepEqual(service.get('p'), reset)
  assert.deepEqual(service.list(), [reset])

  await service.delete('p', { ...me, version: 4 })
  assert.throws(() => service.get('p'), { code: 'POLICY_NOT_FOUND' })
  assert.equal((await service.evaluate(context())).effect, 'deny')
  assert.deepEqual(
    (await service.history('p')).map(({ version, change }) => [version, change]),
    [
      [5, 'delete'],
      [4, 'update'],
      [3, 'update'],
      [2, 'replace'],
      [1, 'create'],
    ],
  )
  assert.equal((await service.history('p'))[0]?.policy, undefined)
})

test('a change for another version than there is does nothing', async (t) => {
  const { service } = await open(t)
  await service.create(document({ id: 'p' }), me)
  const conflict = { code: 'POLICY_VERSION_CONFLICT' }
  await service.update('p', { priority: 1 }, { ...me, version: 1 })
  await assert.rejects(service.update('p', { priority: 2 }, { ...me, version: 1 }), conflict)
  await assert.rejects(service.replace('p', document({ id: 'p' }), { ...me, version: 3 }), conflict)
  await assert.rejects(service.save(document({ id: 'p' }), { ...me, version: 1 }), conflict)
  await assert.rejects(service.delete('p', { ...me, version: 1 }), conflict)
  assert.equal(service.get('p').version, 2)
  assert.equal(service.get('p').policy?.priority, 1)
  // Nor does one for a policy that was deleted hit its successor.
  await service.delete('p', me)
  await service.create(document({ id: 'p' }), me)
  assert.equal(service.get('p').version, 4)
  await assert.rejects(service.delete('p', { ...me, version: 1 }), conflict)
  await assert.rejects(service.save(document({ id: 'new' }), { ...me, version: 1 }), conflict)
  assert.equal((await service.save(document({ id: 'new' }), me)).version, 1)
})

test('of changes for one version that come together exactly one is made', async (t) => {
  const { service, file } = await open(t)
  const { service: other } = await open(t, file)
  await service.create(document({ id: 'p' }), me)
  const changes = Array.from({ length: 10 }, (_, at) =>
    (at % 2 === 0 ? service : other).update('p', { priority: at }, { ...me, version: 1 }),
  )
  const results = await Promise.allSettled(changes)
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
  await Promise.all([service.refresh(), other.refresh()])
  assert.deepEqual(service.list(), other.list())
  assert.equal(service.get('p').version, 2)
})

test('what is written is checked, and says what it must', async (t) => {
  const { service } = await open(t)
  await service.create(document({ id: 'p' }), me)
  const invalid = { code: 'POLICY_INVALID' }
  await assert.rejects(service.create(document({ id: 'p' }), me), { code: 'POLICY_EXISTS', status: 409 })
  await assert.rejects(service.replace('p', document({ id: 'q' }), me), invalid)
  await assert.rejects(service.update('p', { id: 'q' }, me), invalid)
  await assert.rejects(service.update('p', { effect: null }, me), invalid)
  await assert.rejects(service.update('p', { subject: [] }, me), invalid)
  await assert.rejects(service.update('p', [], me), invalid)
  await assert.rejects(service.replace('none', document({ id: 'none' }), me), { code: 'POLICY_NOT_FOUND' })
  await assert.rejects(service.update('none', {}, me), { code: 'POLICY_NOT_FOUND' })
  await assert.rejects(service.delete('none', me), { code: 'POLICY_NOT_FOUND' })
  assert.equal(service.get('p').version, 1)
  const { id: _, ...nameless } = document({ id: 'p' }) as { id: string }
  assert.equal((await service.replace('p', nameless, me)).id, 'p')
})

test('only the last versions are kept', async (t) => {
  const { service } = await open(t)
  await service.create(document({ id: 'p' }), me)
  for (let at = 2; at <= 30; at += 1) await service.update('p', { priority: at }, me)
  const history = await service.history('p')
  assert.equal(history.length, policyLimits.historyMax)
  assert.deepEqual(
    history.map(({ version, policy }) => [version, (policy as { priority: number }).priority]),
    Array.from({ length: 20 }, (_, at) => [30 - at, 30 - at]),
  )
})

test('of all changes only the last ones are kept, and policies stay', async (t) => {
  const { service, database } = await open(t)
  await service.create(document({ id: 'old' }), me)
  // As if there had been many changes of others.
  const row = { policy_id: 'x', version: 1, change: 'delete', changed_at: 0, changed_by: '' } as const
  const sequence = policyLimits.historyRowsMax + 1
  await database.kysely
    .insertInto('policy_history')
    .values({ sequence, ...row })
    .execute()
  assert.equal((await service.history('old')).length, 1)
  await service.create(document({ id: 'new' }), me)
  assert.deepEqual(await service.history('old'), [])
  assert.equal((await service.history('new')).length, 1)
  assert.equal(service.get('old').version, 1)
  assert.equal((await service.update('old', { priority: 1 }, { ...me, version: 1 })).version, 2)
})

test('policies of the configuration decide beside the others, and nobody changes them', async (t) => {
  const configured = [document({ id: 'fixed', effect: 'deny', resources: [{ path: '/secret' }] })]
  const { service, database } = await open(t, undefined, { policies: configured })
  await service.create(document({ id: 'all', priority: 5 }), me)
  assert.deepEqual(
    service.list().map(({ id, source, version }) => [id, source, version]),
    [
      ['all', 'database', 1],
      ['fixed', 'config', undefined],
    ],
  )
  assert.equal((await service.evaluate(context())).effect, 'permit')
  assert.equal((await service.evaluate(context({ resource: { path: '/secret' } }))).decidedBy, 'fixed')
  const fixed = { code: 'POLICY_STATIC', status: 403 }
  await assert.rejects(service.create(document({ id: 'fixed' }), me), fixed)
  await assert.rejects(service.save(document({ id: 'fixed' }), me), fixed)
  await assert.rejects(service.replace('fixed', document({ id: 'fixed' }), me), fixed)
  await assert.rejects(service.update('fixed', { enabled: false }, me), fixed)
  await assert.rejects(service.delete('fixed', me), fixed)
  // One that was stored before the configuration had its id does not go before it.
  const warned: unknown[] = []
  const hiding = await PolicyService.open({
    database,
    policies: [document({ id: 'all', effect: 'deny' })],
    log: { warn: (fields) => warned.push(fields) },
  })
  assert.equal((await hiding.evaluate(context())).effect, 'deny')
  assert.deepEqual(warned, [{ policy: 'all' }])
  assert.equal(hiding.list().length, 1)
})

test('all mistakes of the configuration stop the start at once', async (t) => {
  const policies = [document({ id: 'a' }), { id: 'b' }, document({ id: 'a' }), document({ id: '' })]
  await assert.rejects(open(t, undefined, { policies }), (error: Error & { code: string }) => {
    assert.equal(error.code, 'POLICIES_INVALID')
    for (const part of [
      /policies\[1\]\.effect/,
      /policies\[2\]\.id is that of policies\[0\]/,
      /policies\[3\]\.id/,
    ]) {
      assert.match(error.message, part)
    }
    return true
  })
})

test('there is room for so many policies, and so many bytes', async (t) => {
  const { service, database } = await open(t)
  const text = (id: string) => JSON.stringify(document({ id }))
  await database.transaction(async (transaction) => {
    for (let at = 1; at < policyLimits.policiesMax; at += 1) {
      const row = { version: 1, sequence: 0, bytes: 4000, created_at: 0, changed_at: 0, changed_by: '' }
      await transaction
        .insertInto('policies')
        .values({ id: `p${at}`, ...row, policy_json: text(`p${at}`) })
        .execute()
    }
  })
  await service.create(document({ id: 'last' }), me)
  await assert.rejects(service.create(document({ id: 'more' }), me), { code: 'POLICIES_FULL' })
  await service.update('last', { priority: 1 }, me)
  await service.reload()
  assert.equal(service.summary().policies, policyLimits.policiesMax)
  const bytes = policyLimits.storedBytesMax / 1999
  await database.kysely
    .updateTable('policies')
    .set({ bytes: Math.ceil(bytes) })
    .execute()
  await assert.rejects(service.update('last', { priority: 2 }, me), { code: 'POLICIES_TOO_LARGE' })
  await service.delete('last', me)
})

const seedOf = (...ids: string[]) => ids.map((id) => document({ id }))
const seeds: readonly (readonly [name: string, seed: SeedOptions, planted: readonly string[]])[] = [
  ['as they are', { policies: seedOf('a', 'b') }, ['a', 'b']],
  ['not when they are off', { enabled: false, policies: seedOf('a') }, []],
  ['in an environment that is named', { environments: ['dev', 'test'], policies: seedOf('a') }, ['a']],
  ['in no other environment', { environments: ['dev'], policies: seedOf('a') }, []],
  ['in no environment', { environments: [], policies: seedOf('a') }, []],
  ['in each', { environments: ['*'], policies: seedOf('a') }, ['a']],
  ['from a file', { file: join(directory, 'list.json') }, ['f', 'g']],
  ['from a file with an object', { file: join(directory, 'object.json'), policies: seedOf('a') }, ['a', 'f']],
  ['nothing', {}, []],
]
writeFileSync(join(directory, 'list.json'), JSON.stringify(seedOf('f', 'g')))
writeFileSync(join(directory, 'object.json'), `\uFEFF${JSON.stringify({ policies: seedOf('f') })}`)
for (const [name, seed, planted] of seeds) {
  test(`seeds are planted: ${name}`, async (t) => {
    const { service } = await open(t, undefined, { seed, environment: 'test' })
    assert.deepEqual(
      service.list().map(({ id }) => id),
      planted,
    )
    for (const id of planted) assert.equal((await service.history(id))[0]?.change, 'seed')
  })
}

test('a seed of the configuration goes before one of the file, and a policy of the configuration before both', async (t) => {
  const seed = {
    file: join(directory, 'list.json'),
    policies: [document({ id: 'f', name: 'mine' }), ...seedOf('c')],
  }
  const { service } = await open(t, undefined, { seed, policies: seedOf('c') })
  assert.equal(service.get('f').policy?.name, 'mine')
  assert.equal(service.get('c').source, 'config')
  await assert.rejects(service.history('none'), { code: 'POLICY_NOT_FOUND' })
  assert.deepEqual(await service.history('c'), [])
})

test('seeds change nothing that an admin has decided', async (t) => {
  const { service, file } = await open(t, undefined, { seed: { policies: seedOf('a', 'b') } })
  await service.update('a', { effect: 'deny' }, me)
  await service.delete('b', me)
  const always = { onlyIfEmpty: false, policies: seedOf('a', 'b', 'c') }
  const { service: next } = await open(t, file, { seed: always })
  assert.deepEqual(
    next.list().map(({ id, policy }) => [id, policy?.effect]),
    [
      ['a', 'deny'],
      ['c', 'permit'],
    ],
  )
  await next.delete('a', me)
  await next.delete('c', me)
  const { service: still } = await open(t, file, { seed: always })
  assert.deepEqual(still.list(), [])
  // Where there is no policy at all, a host begins anew if it may.
  const { service: again } = await open(t, file, { seed: { policies: seedOf('a', 'b') } })
  assert.equal(again.list().length, 2)
})

test('seeds that cannot be used stop the start, and none of them is planted', async (t) => {
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text)
    return { file: join(directory, name) }
  }
  const unusable: readonly (readonly [seed: SeedOptions, code: string])[] = [
    [{ file: join(directory, 'missing.json') }, 'POLICY_SEED_FILE_INVALID'],
    [file('half.json', '[{'), 'POLICY_SEED_FILE_INVALID'],
    [file('text.json', '"x"'), 'POLICY_SEED_FILE_INVALID'],
    [file('other.json', '{"policy":[]}'), 'POLICY_SEED_FILE_INVALID'],
    [file('wrong.json', '[{"id":"x"}]'), 'POLICIES_INVALID'],
    [{ policies: [...seedOf('a'), { id: 'b' }] }, 'POLICIES_INVALID'],
  ]
  const database = join(directory, 'unusable-seeds.db')
  for (const [seed, code] of unusable) await assert.rejects(open(t, database, { seed }), { code })
  assert.deepEqual((await open(t, database)).service.list(), [])
})

test('what one process changes is in force in the others', async (t) => {
  const { service, file, database } = await open(t)
  const { service: other } = await open(t, file)
  const follower = new Follower({
    database,
    followed: { policies: service },
    log: { error: (fields) => assert.fail(JSON.stringify(fields)) },
    everyMs: 5,
  })
  follower.start()
  t.after(() => follower.close())
  await other.create(document({ id: 'p' }), me)
  await until('the new policy', async () => (await service.evaluate(context())).effect === 'permit')
  await other.update('p', { effect: 'deny' }, me)
  await until('the changed policy', () => service.list()[0]?.version === 2)
  assert.equal((await service.evaluate(context())).decidedBy, 'p')
  await other.delete('p', me)
  await until('the deleted policy', () => service.list().length === 0)
  await follower.close()
})

test('nothing is read or built again as long as nothing has changed', async (t) => {
  const { service } = await open(t)
  await service.create(document({ id: 'p' }), me)
  const before = service.get('p')
  await service.refresh()
  await service.create(document({ id: 'q' }), me)
  assert.equal(service.get('p'), before)
})

test('several processes that change one policy lose no version, and seed once', async (t) => {
  const { service, file, database } = await open(t)
  const script = new URL('../../helpers/policy-process.js', import.meta.url)
  const count = 15
  const processes = [1, 2, 3].map(() =>
    spawn(process.execPath, [script.pathname, file, String(count)], { stdio: 'inherit' }),
  )
  const codes = await Promise.all(processes.map((child) => once(child, 'exit')))
  assert.deepEqual(
    codes.map(([code]) => code),
    [0, 0, 0],
  )
  await service.refresh()
  assert.equal(service.get('shared').version, 3 * count)
  assert.equal(service.get('seeded').version, 1)
  const history = await service.history('shared')
  assert.deepEqual(
    history.map(({ version }) => version),
    Array.from({ length: 20 }, (_, at) => 45 - at),
  )
  const rows = await database.kysely.selectFrom('policy_history').select('sequence').execute()
  assert.equal(rows.length, 21)
})
