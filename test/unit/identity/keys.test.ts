import assert from 'node:assert/strict'
import crypto, { createHash } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { credentialLimits } from '../../../src/base/limits/identity.js'
import { identityOfKey } from '../../../src/identity/account-identity.js'
import { apiKeyId, createApiKey } from '../../../src/identity/api-key.js'
import type { KeyFields } from '../../../src/identity/key-store.js'
import { createIdentityFixture, failsWith, minuteMs } from '../../helpers/identity-fixture.js'

const fields: KeyFields = { name: 'ci', createdBy: 'ann' }

/** Changes one character of a text, to one that may stand there. */
function alter(text: string, at: number): string {
  const other = text[at] === 'A' ? 'B' : 'A'
  return `${text.slice(0, at)}${other}${text.slice(at + 1)}`
}

/** Counts how often digests are compared in constant time. */
function countComparisons(t: TestContext): () => number {
  const spy = t.mock.method(crypto, 'timingSafeEqual')
  syncBuiltinESMExports()
  t.after(() => {
    spy.mock.restore()
    syncBuiltinESMExports()
  })
  return () => spy.mock.callCount()
}

test('a key has a shape that it is known by, and is another each time', () => {
  const made = Array.from({ length: 200 }, createApiKey)
  for (const { id, secret } of made) {
    assert.match(secret, /^mk_[A-Za-z0-9_-]{12}_[A-Za-z0-9_-]{43}$/)
    assert.equal(apiKeyId(secret), id)
  }
  assert.equal(new Set(made.map(({ id }) => id)).size, made.length)
  assert.equal(new Set(made.map(({ secret }) => secret.slice(16))).size, made.length)
})

test('nothing else has an id', () => {
  const { secret } = createApiKey()
  const others = [
    '',
    'mk_',
    secret.slice(1),
    secret.slice(0, -1),
    `${secret}A`,
    `${secret}\n`,
    ` ${secret}`,
    secret.toUpperCase(),
    `mk-${secret.slice(3)}`,
    secret.replace(/.$/, '='),
    secret.replace(/.$/, '\u0100'),
  ]
  for (const text of others) assert.equal(apiKeyId(text), undefined, JSON.stringify(text))
  const part = fc.oneof(
    fc.string(),
    fc.base64String(),
    fc.constantFrom('mk_', '_', '__proto__', 'x'.repeat(12), 'y'.repeat(43)),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const text = parts.join('')
      assert.equal(
        apiKeyId(text) !== undefined,
        /^mk_[A-Za-z0-9_-]{12}_[A-Za-z0-9_-]{43}$/.test(text) && !text.endsWith('\n'),
      )
    }),
  )
})

test('a key is given once; the database has its digest alone', async (t) => {
  const { keys, database, time } = await createIdentityFixture(t)
  const { secret, key } = await keys.issue({
    ...fields,
    kind: 'service',
    roles: ['a', 'a'],
    permissions: ['kv:read'],
    tenant: 'acme',
    expiresAt: time.now + minuteMs,
  })
  assert.deepEqual(key, {
    id: apiKeyId(secret),
    name: 'ci',
    kind: 'service',
    ownerId: undefined,
    roles: ['a'],
    permissions: ['kv:read'],
    tenant: 'acme',
    createdBy: 'ann',
    createdAt: time.now,
    expiresAt: time.now + minuteMs,
    revokedAt: undefined,
    lastUsedAt: undefined,
  })
  const [row] = await database.kysely.selectFrom('auth_keys').selectAll().execute()
  assert.deepEqual(row?.digest, createHash('sha256').update(secret).digest())
  for (const shown of [row, key, await keys.get(key.id), await keys.list()]) {
    assert.equal(JSON.stringify(shown).includes(secret.slice(16)), false)
  }
  assert.deepEqual(await keys.get(key.id), key)
  assert.deepEqual((await keys.list()).items, [key])
  assert.deepEqual(await keys.find(secret), { kind: 'found', key, owner: undefined })
})

test('a key of which one character differs is nobody', async (t) => {
  const { keys, database } = await createIdentityFixture(t)
  const { secret } = await keys.issue(fields)
  const other = await keys.issue(fields)
  for (let at = 0; at < secret.length; at += 1) {
    assert.deepEqual(await keys.find(alter(secret, at)), { kind: 'unknown' }, `character ${at}`)
  }
  assert.deepEqual(await keys.find(`${secret.slice(0, 16)}${other.secret.slice(16)}`), { kind: 'unknown' })
  assert.deepEqual(await keys.find('x'.repeat(1_000_000)), { kind: 'unknown' })
  await keys.close()
  const used = await database.kysely
    .selectFrom('auth_keys')
    .where('last_used_at', 'is not', null)
    .selectAll()
    .execute()
  assert.deepEqual(used, [])
})

test('digests are compared in constant time, also where there is no key', async (t) => {
  const { keys } = await createIdentityFixture(t)
  const { secret } = await keys.issue(fields)
  const count = countComparisons(t)
  await keys.find(secret)
  assert.equal(count(), 1)
  await keys.find(alter(secret, 30))
  assert.equal(count(), 2)
  await keys.find(createApiKey().secret)
  assert.equal(count(), 3)
})

test('what a key is made of is checked', async (t) => {
  const { keys, users, time } = await createIdentityFixture(t)
  const bad: readonly (readonly [RegExp, Partial<KeyFields>])[] = [
    [/name is empty/, { name: '' }],
    [/name has a control/, { name: 'a\nb' }],
    [/createdBy is empty/, { createdBy: '' }],
    [/roles has 101/, { roles: Array.from({ length: 101 }, String) }],
    [/permits nothing/, { permissions: ['kv:everything'] }],
    [/tenant is empty/, { tenant: '' }],
    [/in the past/, { expiresAt: time.now }],
    [/no time/, { expiresAt: Number.NaN }],
    [/no time/, { expiresAt: Number.POSITIVE_INFINITY }],
  ]
  for (const [expected, change] of bad) {
    assert.match(await failsWith('KEY_INVALID', () => keys.issue({ ...fields, ...change })), expected)
  }
  await failsWith('USER_NOT_FOUND', () => keys.issue({ ...fields, ownerId: 'nobody' }))
  const { id } = await users.create({ username: 'ann', disabled: true })
  await failsWith('USER_NOT_FOUND', () => keys.issue({ ...fields, ownerId: id }))
  assert.deepEqual((await keys.list()).items, [])
})

test('a key belongs to the tenant of its owner, if that has one', async (t) => {
  const { keys, users, roles } = await createIdentityFixture(t)
  const { id: bound } = await users.create({ username: 'bound', tenant: 'acme' })
  const { id: free } = await users.create({ username: 'free' })
  const tenantOf = async (more: Partial<KeyFields>) => (await keys.issue({ ...fields, ...more })).key.tenant
  assert.equal(await tenantOf({ ownerId: bound }), 'acme')
  assert.equal(await tenantOf({ ownerId: bound, tenant: 'acme' }), 'acme')
  assert.equal(await tenantOf({ ownerId: free }), undefined)
  assert.equal(await tenantOf({ ownerId: free, tenant: 'other' }), 'other')
  assert.match(
    await failsWith('KEY_INVALID', () => keys.issue({ ...fields, ownerId: bound, tenant: 'other' })),
    /belongs to acme/,
  )
  const { secret } = await keys.issue({ ...fields, ownerId: bound })
  await users.update(bound, { tenant: 'moved' })
  const found = await keys.find(secret)
  assert.ok(found.kind === 'found')
  assert.equal(await identityOfKey(found.key, found.owner, 'api_key', roles), undefined)
})

test('a key ends when it expires, and says so only to who has it', async (t) => {
  const { keys, time } = await createIdentityFixture(t)
  const { secret } = await keys.issue({ ...fields, expiresAt: time.now + minuteMs })
  time.now += minuteMs - 1
  assert.equal((await keys.find(secret)).kind, 'found')
  time.now += 1
  assert.deepEqual(await keys.find(secret), { kind: 'expired' })
  assert.deepEqual(await keys.find(alter(secret, 30)), { kind: 'unknown' })
})

test('a key is revoked once and for good, also by another host', async (t) => {
  const { keys, file, time } = await createIdentityFixture(t)
  const other = await createIdentityFixture(t, { file })
  const { secret, key } = await keys.issue({ ...fields, expiresAt: time.now + 2 * minuteMs })
  assert.equal((await keys.find(secret)).kind, 'found')
  const revoked = await other.keys.revoke(key.id)
  assert.deepEqual(revoked, { ...key, revokedAt: time.now })
  assert.deepEqual(await keys.find(secret), { kind: 'revoked' })
  assert.deepEqual(await keys.find(alter(secret, 30)), { kind: 'unknown' })
  other.time.now += minuteMs
  assert.deepEqual(await other.keys.revoke(key.id), revoked)
  time.now += 3 * minuteMs
  assert.deepEqual(await keys.find(secret), { kind: 'revoked' })
  await failsWith('KEY_NOT_FOUND', () => keys.revoke('nothing'))
})

test('a key ends with what its owner signs in with, and changes with the owner', async (t) => {
  const { keys, users, database } = await createIdentityFixture(t)
  const make = async (username: string) => {
    const owner = await users.create({ username, passwordHash: 'h' })
    const { secret, key } = await keys.issue({ ...fields, ownerId: owner.id })
    assert.equal((await keys.find(secret)).kind, 'found')
    return { owner, secret, key }
  }
  const bystander = await make('bystander')
  const free = await keys.issue(fields)
  const changed = await make('changed')
  const user = await users.update(changed.owner.id, { roles: ['editor'], tenant: 'acme' })
  assert.deepEqual(await keys.find(changed.secret), { kind: 'found', key: changed.key, owner: user })
  await users.setPassword(changed.owner.id, 'h2')
  assert.equal((await keys.find(changed.secret)).kind, 'revoked')

  const disabled = await make('disabled')
  await users.update(disabled.owner.id, { disabled: true })
  assert.equal((await keys.find(disabled.secret)).kind, 'revoked')
  await users.update(disabled.owner.id, { disabled: false })
  assert.equal((await keys.find(disabled.secret)).kind, 'revoked')

  const ended = await make('ended')
  await users.endCredentials(ended.owner.id)
  assert.equal((await keys.find(ended.secret)).kind, 'revoked')

  const deleted = await make('deleted')
  await users.delete(deleted.owner.id)
  assert.equal((await keys.find(deleted.secret)).kind, 'unknown')

  for (const { secret } of [bystander, free]) assert.equal((await keys.find(secret)).kind, 'found')

  // Also where somebody has disabled the row by hand.
  const byHand = await make('by-hand')
  await database.kysely
    .updateTable('auth_users')
    .set({ disabled: 1 })
    .where('id', '=', byHand.owner.id)
    .execute()
  assert.equal((await keys.find(byHand.secret)).kind, 'revoked')
  assert.equal((await keys.get(byHand.key.id))?.revokedAt, undefined)
})

test('a user has no more keys in force than the limit', async (t) => {
  const { keys, users, time, database } = await createIdentityFixture(t)
  const { id: ownerId } = await users.create({ username: 'ann' })
  const { key } = await keys.issue({ ...fields, ownerId })
  const row = await database.kysely.selectFrom('auth_keys').selectAll().executeTakeFirstOrThrow()
  const rows = Array.from({ length: credentialLimits.keysPerUserMax - 1 }, (_, number) => ({
    ...row,
    id: `key${number}`,
    expires_at: number === 0 ? time.now + minuteMs : null,
  }))
  await database.kysely.insertInto('auth_keys').values(rows).execute()
  assert.match(await failsWith('KEYS_EXHAUSTED', () => keys.issue({ ...fields, ownerId })), /100/)
  await keys.issue(fields)
  await keys.revoke(key.id)
  await keys.issue({ ...fields, ownerId })
  await failsWith('KEYS_EXHAUSTED', () => keys.issue({ ...fields, ownerId }))
  time.now += minuteMs
  await keys.issue({ ...fields, ownerId })
})

test('a use is noted beside the request, and once a minute', async (t) => {
  const { keys, time, failures, file } = await createIdentityFixture(t)
  const { secret, key } = await keys.issue(fields)
  const lastUse = async () => (await keys.get(key.id))?.lastUsedAt
  const first = time.now
  await keys.find(secret)
  assert.equal(await lastUse(), undefined)
  await keys.close()
  assert.equal(await lastUse(), first)
  time.now += minuteMs - 1
  await keys.find(secret)
  await keys.close()
  assert.equal(await lastUse(), first)
  time.now += 1
  await Promise.all([keys.find(secret), keys.find(secret)])
  await Promise.all([keys.close(), keys.close()])
  assert.equal(await lastUse(), first + minuteMs)
  // Of two hosts, the one that writes last may have noted the earlier use.
  const other = await createIdentityFixture(t, { file })
  time.now = first + 2 * minuteMs
  await keys.find(secret)
  other.time.now = first + 3 * minuteMs
  await other.keys.find(secret)
  await other.keys.close()
  await keys.close()
  assert.equal(await lastUse(), first + 3 * minuteMs)
  assert.deepEqual(failures, [])
})

test('a use that cannot be noted is told, and harms no request', async (t) => {
  const { keys, database, failures } = await createIdentityFixture(t)
  const { secret } = await keys.issue(fields)
  await keys.find(secret)
  await database.kysely.schema.alterTable('auth_keys').renameColumn('last_used_at', 'x').execute()
  await keys.close()
  assert.equal(failures.length, 1)
  assert.equal((await keys.find(secret)).kind, 'found')
})

test('keys are listed by owner and by whether they are in force', async (t) => {
  const { keys, users, time } = await createIdentityFixture(t)
  const { id: ownerId } = await users.create({ username: 'ann' })
  const owned = (await keys.issue({ ...fields, ownerId })).key.id
  const revoked = (await keys.issue({ ...fields, ownerId })).key.id
  const expired = (await keys.issue({ ...fields, expiresAt: time.now + 1 })).key.id
  await keys.revoke(revoked)
  time.now += 1
  const ids = async (query: object) => (await keys.list(query)).items.map(({ id }) => id)
  assert.deepEqual(await ids({}), [owned, revoked, expired].sort())
  assert.deepEqual(await ids({ ownerId }), [owned, revoked].sort())
  assert.deepEqual(await ids({ onlyInForce: true }), [owned])
  const { items, nextCursor } = await keys.list({ limit: 2 })
  const rest = await keys.list({ limit: 2, cursor: nextCursor })
  assert.deepEqual(
    [...items, ...rest.items].map(({ id }) => id),
    await ids({}),
  )
  assert.equal(rest.nextCursor, undefined)
})
