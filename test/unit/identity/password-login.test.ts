import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { LoginThrottle } from '../../../src/identity/login-throttle.js'
import { PasswordLogin } from '../../../src/identity/password-login.js'
import { createPasswordHasher, type PasswordHasher } from '../../../src/identity/passwords.js'
import { createIdentityFixture, failsWith } from '../../helpers/identity-fixture.js'

async function createWorld(
  t: TestContext,
  hasher: PasswordHasher = createPasswordHasher({ memoryKib: 64, passes: 1 }),
) {
  const fixture = await createIdentityFixture(t)
  const { users } = fixture
  const throttle = new LoginThrottle({ attempts: 5, windowMs: 60_000, perNetwork: 50, clock: () => 0 })
  const login = new PasswordLogin({ users, hasher, throttle })
  const user = await users.create({
    username: 'Ann',
    email: 'ann@example.com',
    passwordHash: await hasher.hash('correct horse'),
  })
  const check = (name: string, password: string, network = 'home') =>
    login.check({ login: name, password, network })
  return { ...fixture, hasher, throttle, login, user, check }
}

test('somebody who knows the password is let in, by name or address', async (t) => {
  const { check, user } = await createWorld(t)
  for (const name of ['ann', 'Ann', 'ANN@example.com']) {
    assert.deepEqual(await check(name, 'correct horse'), { kind: 'user', user })
  }
})

test('all others are refused in one way', async (t) => {
  const { check, users } = await createWorld(t)
  const external = await users.create({ username: 'ext', external: { issuer: 'i', subject: 's' } })
  const cases = [
    ['ann', 'wrong horse'],
    ['ann', ''],
    ['ann', 'correct horse\0'],
    ['ann', 'x'.repeat(100_000)],
    ['', 'correct horse'],
    ['bob', 'correct horse'],
    ['ext', ''],
    ['ext', 'null'],
    [external.id, 'correct horse'],
  ] as const
  for (const [at, [name, password]] of cases.entries()) {
    assert.deepEqual(await check(name, password, `network${at}`), { kind: 'refused' }, `${at}`)
  }
  const { id } = await users.create({ username: 'off', disabled: true })
  await users.setPassword(id, (await users.candidate('ann'))?.passwordHash)
  assert.deepEqual(await check('off', 'correct horse', 'elsewhere'), { kind: 'refused' })
})

test('something is hashed whoever is asked for', async (t) => {
  const hasher = createPasswordHasher({ memoryKib: 64, passes: 1 })
  const hashes: (string | undefined)[] = []
  const counting: PasswordHasher = {
    hash: (password) => hasher.hash(password),
    needsRehash: (stored) => hasher.needsRehash(stored),
    verify(password, stored) {
      hashes.push(stored)
      return hasher.verify(password, stored)
    },
  }
  const { check, users } = await createWorld(t, counting)
  await users.create({ username: 'ext' })
  await users.create({ username: 'off', disabled: true, passwordHash: 'x' })
  for (const name of ['ann', 'nobody', 'ext', 'off', 'nobody@example.com'])
    await check(name, 'wrong horse', name)
  assert.equal(hashes.length, 5)
})

test('who guesses has to wait, known or not, and the password is not looked at', async (t) => {
  const { check } = await createWorld(t)
  for (const name of ['ann', 'nobody']) {
    for (let count = 0; count < 5; count += 1)
      assert.equal((await check(name, 'wrong horse')).kind, 'refused')
    assert.deepEqual(await check(name, 'correct horse'), { kind: 'wait', seconds: 5 })
  }
  assert.equal((await check('ann', 'correct horse', 'elsewhere')).kind, 'user')
})

test('guesses that come at once are not more than guesses that come one by one', async (t) => {
  const { check } = await createWorld(t)
  const outcomes = await Promise.all(Array.from({ length: 40 }, () => check('ann', 'wrong horse')))
  assert.equal(outcomes.filter(({ kind }) => kind === 'refused').length, 5)
})

test('a try that could not be made does not count', async (t) => {
  const busy = createPasswordHasher({ memoryKib: 1024, passes: 1, concurrentMax: 1, waitingMax: 0 })
  const { check, hasher } = await createWorld(t, busy)
  for (let count = 0; count < 20; count += 1) {
    const other = hasher.hash('something else')
    await failsWith('PASSWORDS_BUSY', () => check('ann', 'wrong horse'))
    await other
  }
  assert.equal((await check('ann', 'correct horse')).kind, 'user')
})

test('a database that cannot be asked lets nobody in, and counts nothing', async (t) => {
  const { check, database, throttle } = await createWorld(t)
  await database.close()
  for (let count = 0; count < 20; count += 1)
    await failsWith('DATABASE_CLOSED', () => check('ann', 'correct horse'))
  assert.equal(throttle.begin('ann', 'home').kind, 'admitted')
})

test('a hash of other costs is renewed when the password is at hand, and ends nothing', async (t) => {
  const { check, users, sessions, user, throttle } = await createWorld(t)
  const opened = await sessions.open({ user, authenticator: 'password' })
  assert.ok(opened)
  const hasher = createPasswordHasher({ memoryKib: 128, passes: 1 })
  const login = new PasswordLogin({ users, hasher, throttle })
  const old = (await users.candidate('ann'))?.passwordHash
  await login.check({ login: 'ann', password: 'wrong horse', network: 'home' })
  assert.equal((await users.candidate('ann'))?.passwordHash, old)
  assert.equal((await login.check({ login: 'ann', password: 'correct horse', network: 'home' })).kind, 'user')
  const renewed = (await users.candidate('ann'))?.passwordHash ?? ''
  assert.equal(hasher.needsRehash(renewed), false)
  assert.equal((await check('ann', 'correct horse')).kind, 'user')
  assert.equal((await sessions.find(opened.token)).kind, 'found')
})
