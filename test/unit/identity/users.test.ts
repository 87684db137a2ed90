import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { accountLimits } from '../../../src/base/limits/identity.js'
import type { StoredUser } from '../../../src/identity/user-row.js'
import { createIdentityFixture, failsWith, minuteMs } from '../../helpers/identity-fixture.js'

test('a user is what was given, and empty where nothing was', async (t) => {
  const { users, time } = await createIdentityFixture(t)
  const bare = await users.create({ username: 'Ann' })
  assert.match(bare.id, /^[0-9A-HJKMNP-TV-Z]{26}$/)
  assert.deepEqual(bare, {
    id: bare.id,
    username: 'Ann',
    email: undefined,
    name: undefined,
    hasPassword: false,
    credentialsVersion: 0,
    roles: [],
    groups: [],
    tenant: undefined,
    claims: {},
    disabled: false,
    external: undefined,
    createdAt: time.now,
    updatedAt: time.now,
    lastLoginAt: undefined,
  })
  const fields = {
    username: 'bob',
    email: 'Bob@Example.com',
    name: 'Bob ✓',
    roles: ['editor', 'editor', 'analyst'],
    groups: ['a/b'],
    tenant: 'acme',
    claims: { dept: { level: 3 }, on: null },
    disabled: true,
    external: { issuer: 'https://idp', subject: 'x' },
  }
  const full = await users.create({ ...fields, passwordHash: 'hash' })
  const { id, hasPassword, credentialsVersion, createdAt, updatedAt, lastLoginAt, ...rest } = full
  assert.deepEqual(rest, { ...fields, roles: ['editor', 'analyst'] })
  assert.equal(hasPassword, true)
  assert.deepEqual(await users.get(id), full)
  assert.equal(await users.get('01ARZ3NDEKTSV4RRFFQ69G5FAV'), undefined)
  assert.equal(JSON.stringify(full).includes('hash'), false)
})

test('what cannot be a user is refused, with the field', async (t) => {
  const { users } = await createIdentityFixture(t)
  const long = 'x'.repeat(2000)
  const cases: readonly (readonly [RegExp, object])[] = [
    [/username is empty/, { username: '' }],
    [/username has 65 characters; the limit is 64/, { username: 'x'.repeat(65) }],
    [/username takes/, { username: 'a b' }],
    [/username takes/, { username: 'ann@example.com' }],
    [/username takes/, { username: '.ann' }],
    [/username takes/, { username: 'ann-' }],
    [/username takes/, { username: 'аnn' }],
    [/username has a control/, { username: 'a\nb' }],
    [/username Admin is kept/, { username: 'Admin' }],
    [/username anonymous is kept/, { username: 'anonymous' }],
    [/email is no address/, { email: 'ann' }],
    [/email is no address/, { email: 'a@b@c' }],
    [/email is no address/, { email: 'ann <a@b.c>' }],
    [/email has/, { email: `${long}@b.c` }],
    [/name has a control/, { name: 'a\u202eb' }],
    [/name has a control/, { name: '\ud800' }],
    [/roles has 101 members/, { roles: Array.from({ length: 101 }, String) }],
    [/a member of roles is empty/, { roles: [''] }],
    [/a member of groups has/, { groups: [long] }],
    [/tenant is empty/, { tenant: '' }],
    [/claims have/, { claims: { a: 'x'.repeat(20_000) } }],
    [/claims are nested/, { claims: { a: [[[[[[[[[1]]]]]]]]] } }],
    [/external.subject is empty/, { external: { issuer: 'i', subject: '' } }],
    [/external.issuer has/, { external: { issuer: long, subject: 's' } }],
  ]
  const ann = await users.create({ username: 'ann' })
  for (const [expected, fields] of cases) {
    assert.match(
      await failsWith('USER_INVALID', () => users.create({ username: 'new', ...fields })),
      expected,
    )
    assert.match(await failsWith('USER_INVALID', () => users.update(ann.id, fields)), expected)
  }
  assert.deepEqual((await users.list()).items, [ann])
})

test('names, addresses and external identities belong to one user, without case', async (t) => {
  const { users } = await createIdentityFixture(t)
  const external = { issuer: 'https://idp', subject: 'x' }
  const ann = await users.create({ username: 'Ann', email: 'ANN@example.com', external })
  const bob = await users.create({ username: 'bob' })
  const twins: readonly (readonly [RegExp, object])[] = [
    [/this username/, { username: 'aNN' }],
    [/this email address/, { email: 'ann@EXAMPLE.com' }],
    [/this external identity/, { external }],
  ]
  for (const [expected, fields] of twins) {
    assert.match(
      await failsWith('USER_DUPLICATE', () => users.create({ username: 'eve', ...fields })),
      expected,
    )
    assert.match(await failsWith('USER_DUPLICATE', () => users.update(bob.id, fields)), expected)
  }
  assert.deepEqual(await users.get(bob.id), bob)
  // Not the same: another issuer, another subject, and nobody's at all.
  await users.create({ username: 'c1', external: { ...external, subject: 'X' } })
  await users.create({ username: 'c2', external: { ...external, issuer: 'https://other' } })
  await users.create({ username: 'c3' })
  assert.equal((await users.findExternal('https://idp', 'x'))?.id, ann.id)
  assert.equal(await users.findExternal('https://idp', 'y'), undefined)
  // A user keeps their own, in another case too.
  assert.equal((await users.update(ann.id, { username: 'ANN', email: 'ann@Example.COM' })).username, 'ANN')
})

test('somebody signs in with a name or an address in any case, and with nothing else', async (t) => {
  const { users } = await createIdentityFixture(t)
  const ann = await users.create({
    username: 'Ann',
    email: 'Ann@Example.com',
    name: 'Anna',
    passwordHash: 'h',
  })
  for (const login of ['ann', 'ANN', 'ann@example.com', 'ANN@EXAMPLE.COM']) {
    assert.deepEqual(await users.candidate(login), { user: ann, passwordHash: 'h' })
  }
  for (const login of [
    '',
    'Anna',
    'an',
    'ann ',
    'ann%',
    '_nn',
    ann.id,
    'x'.repeat(100_000),
    '@',
    "' or 1=1 --",
  ]) {
    assert.equal(await users.candidate(login), undefined, login.slice(0, 20))
  }
  const bob = await users.create({ username: 'bob' })
  assert.deepEqual(await users.candidate('bob'), { user: bob, passwordHash: undefined })
})

test('a missing field stays, null empties, and a user who is not there is told', async (t) => {
  const { users, time } = await createIdentityFixture(t)
  const before = await users.create({
    username: 'ann',
    email: 'ann@example.com',
    name: 'Anna',
    roles: ['editor'],
    groups: ['g'],
    tenant: 'acme',
    claims: { a: 1 },
    external: { issuer: 'i', subject: 's' },
  })
  time.now += minuteMs
  assert.deepEqual(await users.update(before.id, {}), { ...before, updatedAt: time.now })
  const renamed = await users.update(before.id, { name: 'Other', email: undefined as never })
  assert.deepEqual(renamed, { ...before, name: 'Other', updatedAt: time.now })
  const emptied = await users.update(before.id, { email: null, name: null, tenant: null, external: null })
  assert.deepEqual(emptied, {
    ...before,
    email: undefined,
    name: undefined,
    tenant: undefined,
    external: undefined,
    updatedAt: time.now,
  })
  assert.equal(await users.candidate('ann@example.com'), undefined)
  await users.create({ username: 'bob', email: 'ann@example.com' })
  const gone = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
  assert.match(await failsWith('USER_NOT_FOUND', () => users.update(gone, { name: 'x' })), /01ARZ3/)
  await failsWith('USER_NOT_FOUND', () => users.setPassword(gone, 'h'))
  await failsWith('USER_NOT_FOUND', () => users.endCredentials(gone))
  assert.equal(await users.delete(gone), false)
})

test('a hash is renewed only while it is the one that was checked', async (t) => {
  const { users } = await createIdentityFixture(t)
  const { id } = await users.create({ username: 'ann', passwordHash: 'old' })
  await users.renewPasswordHash(id, 'old', 'renewed')
  assert.equal((await users.candidate('ann'))?.passwordHash, 'renewed')
  await users.renewPasswordHash(id, 'old', 'late')
  assert.equal((await users.candidate('ann'))?.passwordHash, 'renewed')
  const user = await users.setPassword(id, undefined)
  assert.equal(user.hasPassword, false)
  await users.renewPasswordHash(id, 'renewed', 'late')
  assert.equal((await users.candidate('ann'))?.passwordHash, undefined)
})

test('a login is noted and nothing else changes', async (t) => {
  const { users, time } = await createIdentityFixture(t)
  const user = await users.create({ username: 'ann' })
  time.now += minuteMs
  await users.noteLogin(user.id)
  assert.deepEqual(await users.get(user.id), { ...user, lastLoginAt: time.now })
  await users.noteLogin('nobody')
})

test('a list has each user that passes the filter once, page by page, by name', async (t) => {
  const { users } = await createIdentityFixture(t)
  const made: StoredUser[] = []
  for (let number = 0; number < 25; number += 1) {
    made.push(
      await users.create({
        username: `${number % 2 === 0 ? 'Even' : 'odd'}${String(number).padStart(2, '0')}`,
        email: number % 5 === 0 ? `five${number}@example.com` : null,
        roles: number % 3 === 0 ? ['third', 'x'] : ['thir'],
        tenant: number % 4 === 0 ? 'acme' : null,
        disabled: number % 7 === 0,
      }),
    )
  }
  const byName = (a: StoredUser, b: StoredUser) =>
    a.username.toLowerCase() < b.username.toLowerCase() ? -1 : 1
  const filters: readonly (readonly [object, (user: StoredUser) => boolean])[] = [
    [{}, () => true],
    [{ search: 'eVen' }, ({ username }) => username.startsWith('Even')],
    [{ search: 'FIVE1' }, ({ email }) => email?.startsWith('five1') === true],
    [{ search: '%' }, () => false],
    [{ search: '_' }, () => false],
    [{ search: 'ven' }, () => false],
    [{ role: 'third' }, ({ roles }) => roles.includes('third')],
    [{ role: 'thir' }, ({ roles }) => roles.includes('thir')],
    [{ tenant: 'acme', disabled: false }, ({ tenant, disabled }) => tenant === 'acme' && !disabled],
    [{ disabled: true }, ({ disabled }) => disabled],
  ]
  for (const [filter, holds] of filters) {
    for (const limit of [1, 3, 13, 200]) {
      const found: StoredUser[] = []
      let cursor: string | undefined
      do {
        const page = await users.list({ ...filter, limit, cursor })
        assert.ok(page.items.length <= limit)
        found.push(...page.items)
        cursor = page.nextCursor
      } while (cursor !== undefined)
      assert.deepEqual(found, made.filter(holds).sort(byName), JSON.stringify({ filter, limit }))
    }
  }
})

test('a list refuses other limits, texts that are too long and cursors that it has not made', async (t) => {
  const { users, keys } = await createIdentityFixture(t)
  for (const limit of [0, -1, 1.5, Number.NaN, accountLimits.pageMax + 1]) {
    assert.match(await failsWith('ACCOUNT_QUERY_INVALID', () => users.list({ limit })), /1 to 200/)
  }
  await failsWith('ACCOUNT_QUERY_INVALID', () => users.list({ search: 'x'.repeat(256) }))
  await users.create({ username: 'a1' })
  await users.create({ username: 'a2' })
  const { nextCursor } = await users.list({ limit: 1 })
  assert.equal((await users.list({ cursor: nextCursor })).items.length, 1)
  await failsWith('ACCOUNT_QUERY_INVALID', () => keys.list({ cursor: nextCursor }))
  const cursors = fc.oneof(
    fc.string(),
    fc.base64String(),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
  )
  await fc.assert(
    fc.asyncProperty(cursors, async (cursor) => {
      await failsWith('ACCOUNT_QUERY_INVALID', () => users.list({ cursor }))
    }),
  )
})

test('whatever changes, the store holds what a map would', async (t) => {
  const { users } = await createIdentityFixture(t)
  const name = fc.constantFrom('ann', 'Ann', 'bob', 'BOB', 'cid')
  const email = fc.constantFrom('a@x.y', 'A@X.y', 'b@x.y', null)
  const change = fc.record({ username: name, email, disabled: fc.boolean() }, { requiredKeys: [] })
  const step = fc.oneof(
    fc.record({ kind: fc.constant('create' as const), fields: fc.record({ username: name, email }) }),
    fc.record({ kind: fc.constant('update' as const), at: fc.nat(4), fields: change }),
    fc.record({ kind: fc.constant('delete' as const), at: fc.nat(4) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const model: { id: string; username: string; email: string | null; disabled: boolean }[] = []
      const isTaken = (own: string, fields: { username?: string; email?: string | null }) =>
        model.some(
          (user) =>
            user.id !== own &&
            (user.username.toLowerCase() === fields.username?.toLowerCase() ||
              (user.email !== null && user.email.toLowerCase() === fields.email?.toLowerCase())),
        )
      for (const step of steps) {
        if (step.kind === 'create') {
          if (isTaken('', step.fields)) await failsWith('USER_DUPLICATE', () => users.create(step.fields))
          else {
            const { id } = await users.create(step.fields)
            model.push({ id, ...step.fields, disabled: false })
          }
          continue
        }
        const user = model[step.at]
        if (user === undefined) continue
        if (step.kind === 'delete') {
          assert.equal(await users.delete(user.id), true)
          model.splice(step.at, 1)
        } else if (isTaken(user.id, step.fields)) {
          await failsWith('USER_DUPLICATE', () => users.update(user.id, step.fields))
        } else {
          await users.update(user.id, step.fields)
          Object.assign(user, step.fields)
        }
      }
      const stored = await users.list()
      const shown = stored.items.map(({ id, username, email, disabled }) => ({
        id,
        username,
        email: email ?? null,
        disabled,
      }))
      assert.deepEqual(
        shown.sort((a, b) => (a.id < b.id ? -1 : 1)),
        [...model].sort((a, b) => (a.id < b.id ? -1 : 1)),
      )
      for (const { id } of model) await users.delete(id)
    }),
    { numRuns: 40 },
  )
})
