import assert from 'node:assert/strict'
import crypto, { createHash, createHmac } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'
import fc from 'fast-check'
import { credentialLimits } from '../../../src/base/limits/identity.js'
import type { NewSession } from '../../../src/identity/session-store.js'
import {
  createSessionToken,
  csrfToken,
  isCsrfToken,
  isSessionToken,
} from '../../../src/identity/session-token.js'
import {
  createIdentityFixture,
  dayMs,
  type IdentityFixture,
  minuteMs,
} from '../../helpers/identity-fixture.js'

/** Signs somebody in who has just been made. */
async function signIn({ users, sessions }: IdentityFixture, more: Partial<NewSession> = {}) {
  const user =
    more.user ??
    (await users.create({ username: `u${Math.random().toString(36).slice(2)}`, passwordHash: 'h' }))
  const opened = await sessions.open({ authenticator: 'password', ...more, user })
  assert.ok(opened)
  return { user, ...opened }
}

async function kindOf({ sessions }: IdentityFixture, token: string): Promise<string> {
  return (await sessions.find(token)).kind
}

test('tokens are 32 random bytes, and only such are looked up', () => {
  const tokens = Array.from({ length: 200 }, createSessionToken)
  for (const token of tokens) assert.equal(Buffer.from(token, 'base64url').length, 32)
  assert.equal(new Set(tokens).size, tokens.length)
  const [token = ''] = tokens
  for (const text of [
    '',
    token.slice(1),
    `${token}A`,
    `${token}\n`,
    ` ${token.slice(1)}`,
    `${token.slice(1)}=`,
    `${token.slice(1)};`,
  ]) {
    assert.equal(isSessionToken(text), false, JSON.stringify(text))
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      assert.equal(
        isSessionToken(text),
        text.length === 43 && [...text].every((part) => /^[A-Za-z0-9_-]$/.test(part)),
      )
    }),
  )
})

test('a session is found by its token; the database has its digest alone', async (t) => {
  const world = await createIdentityFixture(t)
  const { sessions, database, time, users } = world
  const { id } = await users.create({ username: 'ann', roles: ['editor'], claims: { a: 1 } })
  const user = await users.get(id)
  assert.ok(user)
  const { token, session } = await signIn(world, { user, ip: '192.0.2.1', userAgent: 'x'.repeat(1000) })
  assert.deepEqual(session, {
    id: session.id,
    userId: id,
    authenticator: 'password',
    ip: '192.0.2.1',
    userAgent: 'x'.repeat(256),
    createdAt: time.now,
    lastUsedAt: time.now,
    expiresAt: time.now + dayMs,
  })
  assert.deepEqual(await sessions.find(token), { kind: 'found', session, user })
  const [row] = await database.kysely.selectFrom('auth_sessions').selectAll().execute()
  assert.deepEqual(row?.digest, createHash('sha256').update(token).digest())
  assert.equal(JSON.stringify([row, session, await sessions.list(id)]).includes(token), false)
  // The id names a session and opens none.
  for (const text of [
    session.id,
    '',
    id,
    `${token}A`,
    createSessionToken(),
    row.digest.toString('base64url'),
  ]) {
    assert.deepEqual(await sessions.find(text), { kind: 'unknown' })
  }
})

test('a session that is used lives on, up to its greatest age', async (t) => {
  const world = await createIdentityFixture(t)
  const { sessions, time } = world
  const { token } = await signIn(world)
  for (let day = 1; day <= 30; day += 1) {
    assert.equal(await kindOf(world, token), 'found', `day ${day}`)
    await sessions.close()
    time.now += dayMs - 1
  }
  assert.equal(await kindOf(world, token), 'found')
  time.now += 30
  assert.equal(await kindOf(world, token), 'expired')
  const idle = await signIn(world)
  time.now += dayMs
  assert.equal(await kindOf(world, idle.token), 'expired')
  assert.deepEqual(await sessions.list(idle.user.id), [])
})

test('a use is noted beside the request, and once a minute', async (t) => {
  const world = await createIdentityFixture(t)
  const { sessions, time } = world
  const { token, user, session } = await signIn(world)
  const lastUse = async () => (await sessions.list(user.id))[0]?.lastUsedAt
  time.now += minuteMs - 1
  await sessions.find(token)
  await sessions.close()
  assert.equal(await lastUse(), session.lastUsedAt)
  time.now += 1
  await sessions.find(token)
  assert.equal(await lastUse(), session.lastUsedAt)
  await sessions.close()
  assert.equal(await lastUse(), time.now)
  // Of two hosts, the one that writes last may have noted the earlier use.
  const other = await createIdentityFixture(t, { file: world.file })
  time.now += minuteMs
  await sessions.find(token)
  other.time.now = time.now + minuteMs
  await other.sessions.find(token)
  await other.sessions.close()
  await sessions.close()
  assert.equal(await lastUse(), other.time.now)
})

test('a note that comes late brings no session back', async (t) => {
  const world = await createIdentityFixture(t)
  const { sessions, time } = world
  const { token } = await signIn(world)
  time.now += minuteMs
  await sessions.find(token)
  await sessions.end(token)
  await sessions.close()
  assert.equal(await kindOf(world, token), 'unknown')
  assert.deepEqual(world.failures, [])
})

test('what ends a session ends it for the next request, also in another host', async (t) => {
  const world = await createIdentityFixture(t)
  const other = await createIdentityFixture(t, { file: world.file })
  const ways: Readonly<Record<string, (made: Awaited<ReturnType<typeof signIn>>) => Promise<unknown>>> = {
    end: ({ token }) => other.sessions.end(token),
    endOne: ({ user, session }) => other.sessions.endOne(user.id, session.id),
    endAll: ({ user }) => other.sessions.endAll(user.id),
    disable: ({ user }) => other.users.update(user.id, { disabled: true }),
    password: ({ user }) => other.users.setPassword(user.id, 'h2'),
    noPassword: ({ user }) => other.users.setPassword(user.id, undefined),
    credentials: ({ user }) => other.users.endCredentials(user.id),
    delete: ({ user }) => other.users.delete(user.id),
    byHand: ({ user }) =>
      other.database.kysely
        .updateTable('auth_users')
        .set({ disabled: 1 })
        .where('id', '=', user.id)
        .execute(),
  }
  const bystander = await signIn(world)
  for (const [name, way] of Object.entries(ways)) {
    const made = await signIn(world)
    assert.equal(await kindOf(world, made.token), 'found', name)
    await way(made)
    assert.equal(await kindOf(world, made.token), 'unknown', name)
    assert.equal(await kindOf(other, made.token), 'unknown', name)
  }
  assert.equal(await kindOf(world, bystander.token), 'found')
})

test('new roles count from the next request on, and end nothing', async (t) => {
  const world = await createIdentityFixture(t)
  const { token, user } = await signIn(world)
  const changed = await world.users.update(user.id, { roles: ['editor'], groups: ['g'], tenant: 'acme' })
  const found = await world.sessions.find(token)
  assert.ok(found.kind === 'found')
  assert.deepEqual(found.user, changed)
})

test('enabling somebody again brings no session back', async (t) => {
  const world = await createIdentityFixture(t)
  const { token, user } = await signIn(world)
  await world.users.update(user.id, { disabled: true })
  await world.users.update(user.id, { disabled: false })
  assert.equal(await kindOf(world, token), 'unknown')
})

test('nobody is let in by what has ended since it was checked', async (t) => {
  const world = await createIdentityFixture(t)
  const { users, sessions } = world
  const changes: readonly ((id: string) => Promise<unknown>)[] = [
    (id) => users.setPassword(id, 'h2'),
    (id) => users.endCredentials(id),
    (id) => users.update(id, { disabled: true }),
    (id) => users.delete(id),
  ]
  for (const [number, change] of changes.entries()) {
    const user = await users.create({ username: `late${number}`, passwordHash: 'h' })
    await change(user.id)
    assert.equal(await sessions.open({ user, authenticator: 'password' }), undefined)
    assert.deepEqual(await sessions.list(user.id), [])
  }
  const user = await users.create({ username: 'early' })
  const renamed = await users.update(user.id, { roles: ['editor'] })
  assert.equal(renamed.credentialsVersion, user.credentialsVersion)
  await signIn(world, { user })
})

test('the session that a login comes with ends, also when nobody is let in', async (t) => {
  const world = await createIdentityFixture(t)
  const planted = await signIn(world)
  const next = await signIn(world, { replaces: planted.token })
  assert.notEqual(next.token, planted.token)
  assert.equal(await kindOf(world, planted.token), 'unknown')
  assert.equal(await kindOf(world, next.token), 'found')
  const gone = { id: 'nobody', credentialsVersion: 0 }
  assert.equal(await world.sessions.open({ user: gone, authenticator: 'x', replaces: next.token }), undefined)
  assert.equal(await kindOf(world, next.token), 'unknown')
  await signIn(world, { replaces: "' or 1=1" })
})

test('a session that is given another token keeps everything else', async (t) => {
  const world = await createIdentityFixture(t)
  const { sessions } = world
  const { token, session } = await signIn(world)
  const next = await sessions.rotate(token)
  assert.ok(next)
  assert.equal(await kindOf(world, token), 'unknown')
  const found = await sessions.find(next)
  assert.ok(found.kind === 'found')
  assert.deepEqual(found.session, session)
  assert.equal(await sessions.rotate(token), undefined)
  world.time.now += dayMs
  assert.equal(await sessions.rotate(next), undefined)
})

test('of two that rotate one token, one is left with a session', async (t) => {
  const world = await createIdentityFixture(t)
  const { token, user } = await signIn(world)
  const tokens = await Promise.all([world.sessions.rotate(token), world.sessions.rotate(token)])
  assert.equal(tokens.filter((next) => next !== undefined).length, 1)
  assert.equal((await world.sessions.list(user.id)).length, 1)
})

test('with one session too many, the one that was used least recently ends', async (t) => {
  const world = await createIdentityFixture(t, { perUserMax: 3 })
  const { sessions, time } = world
  const { user, token: first } = await signIn(world)
  const others: string[] = []
  for (let number = 0; number < 2; number += 1) {
    time.now += minuteMs
    others.push((await signIn(world, { user })).token)
  }
  time.now += minuteMs
  await sessions.find(first)
  await sessions.close()
  const bystander = await signIn(world)
  const { token: last } = await signIn(world, { user })
  assert.equal(await kindOf(world, others[0] ?? ''), 'unknown')
  for (const token of [first, others[1] ?? '', last, bystander.token])
    assert.equal(await kindOf(world, token), 'found')
  for (let number = 0; number < 10; number += 1) await signIn(world, { user })
  assert.equal((await sessions.list(user.id)).length, 3)
})

test('sessions are ended one by one, or all but one, and only those of the user', async (t) => {
  const world = await createIdentityFixture(t)
  const { sessions } = world
  const one = await signIn(world)
  const two = await signIn(world, { user: one.user })
  const other = await signIn(world)
  assert.equal(await sessions.endOne(other.user.id, one.session.id), false)
  assert.equal(await sessions.endOne(one.user.id, 'nothing'), false)
  assert.equal(await sessions.endAll(one.user.id, two.session.id), 1)
  assert.equal(await kindOf(world, one.token), 'unknown')
  assert.equal(await kindOf(world, two.token), 'found')
  await sessions.end(createSessionToken())
  await sessions.end('')
  assert.equal(await sessions.endAll(two.user.id), 1)
  assert.equal(await kindOf(world, other.token), 'found')
})

test('what has ended is swept, in slices, and nothing else', async (t) => {
  const world = await createIdentityFixture(t)
  const { sessions, database, time } = world
  const { user, token, session } = await signIn(world)
  const row = await database.kysely.selectFrom('auth_sessions').selectAll().executeTakeFirstOrThrow()
  const old = (number: number) => ({
    ...row,
    id: `old${number}`,
    digest: createHash('sha256').update(String(number)).digest(),
    created_at: time.now - (number % 2 === 0 ? 30 : 5) * dayMs,
    last_used_at: time.now - (number % 2 === 0 ? 0 : 1) * dayMs,
  })
  const count = 2 * credentialLimits.sweepMax + 10
  for (let from = 0; from < count; from += 100) {
    const rows = Array.from({ length: Math.min(100, count - from) }, (_, at) => old(from + at))
    await database.kysely.insertInto('auth_sessions').values(rows).execute()
  }
  assert.equal((await sessions.list(user.id)).length, 1)
  assert.equal(await sessions.sweep(), count)
  assert.equal(await sessions.sweep(), 0)
  assert.deepEqual(await sessions.list(user.id), [session])
  assert.equal(await kindOf(world, token), 'found')
})

test('a csrf token belongs to one session, and is compared in constant time', async (t) => {
  const token = createSessionToken()
  assert.equal(csrfToken(token), createHmac('sha256', token).update('csrf').digest('base64url'))
  const spy = t.mock.method(crypto, 'timingSafeEqual')
  syncBuiltinESMExports()
  t.after(() => {
    spy.mock.restore()
    syncBuiltinESMExports()
  })
  assert.equal(isCsrfToken(token, csrfToken(token)), true)
  const wrong = [
    '',
    token,
    csrfToken(createSessionToken()),
    csrfToken(token).slice(1),
    `${csrfToken(token)}=`,
    'x'.repeat(1_000_000),
  ]
  for (const sent of wrong) assert.equal(isCsrfToken(token, sent), false)
  assert.equal(spy.mock.callCount(), 1 + wrong.length)
})
