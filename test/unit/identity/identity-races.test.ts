import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createIdentityFixture } from '../../helpers/identity-fixture.js'

const script = fileURLToPath(new URL('../../helpers/identity-process.js', import.meta.url))

/** Lets two hosts do the same on one file at the same time; gives how it went in each. */
async function inTwoHosts(file: string, ...task: readonly string[]): Promise<readonly (readonly string[])[]> {
  const hosts = Array.from({ length: 2 }, () => fork(script, [file, ...task]))
  try {
    await Promise.all(hosts.map((host) => once(host, 'message')))
    const ended = hosts.map((host) => once(host, 'message'))
    for (const host of hosts) host.send('begin')
    return (await Promise.all(ended)).map(([outcomes]) => outcomes)
  } finally {
    for (const host of hosts) host.kill('SIGKILL')
  }
}

function count(outcomes: readonly (readonly string[])[], outcome: string): number {
  return outcomes.flat().filter((each) => each === outcome).length
}

test('two hosts that make the same users and roles at once make each once', async (t) => {
  const { file, users, roles } = await createIdentityFixture(t)
  const outcomes = await inTwoHosts(file, 'names')
  assert.equal(count(outcomes, 'done'), 40)
  assert.equal(count(outcomes, 'USER_DUPLICATE'), 20)
  assert.equal(count(outcomes, 'ROLE_DUPLICATE'), 20)
  assert.equal((await users.list({ limit: 200 })).items.length, 20)
  assert.equal((await roles.list()).filter(({ source }) => source === 'database').length, 20)
})

test('two hosts together open no more sessions of a user than one may', async (t) => {
  const { file, users, sessions } = await createIdentityFixture(t)
  const { id } = await users.create({ username: 'ann' })
  assert.equal(count(await inTwoHosts(file, 'sessions', id), 'done'), 40)
  assert.equal((await sessions.list(id)).length <= 5, true)
})

test('two hosts together make no more keys of a user than one may', async (t) => {
  const { file, users, keys } = await createIdentityFixture(t)
  const { id } = await users.create({ username: 'ann' })
  const outcomes = await inTwoHosts(file, 'keys', id)
  assert.equal(count(outcomes, 'done'), 100)
  assert.equal(count(outcomes, 'KEYS_EXHAUSTED'), 20)
  assert.equal((await keys.list({ limit: 200 })).items.length, 100)
})

test('a password that was changed meanwhile is not changed by who has proved the old one', async (t) => {
  const { users } = await createIdentityFixture(t)
  const ends: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
    'an admin sets another': (id) => users.setPassword(id, 'of the admin'),
    'an admin takes it away': (id) => users.setPassword(id, undefined),
    'an admin disables the user': (id) => users.update(id, { disabled: true }),
    'the user is let in again': async (id) => {
      await users.update(id, { disabled: true })
      await users.update(id, { disabled: false })
    },
    'the user is deleted': (id) => users.delete(id),
    'it is changed twice at once': async (id) => {
      const user = await users.get(id)
      assert.ok(user !== undefined && (await users.changePassword(user, 'of the first')) !== undefined)
    },
  }
  for (const [at, [what, end]] of Object.entries(ends).entries()) {
    const user = await users.create({ username: `u${at}`, passwordHash: 'h' })
    await end(user.id)
    const before = await users.candidate(user.username)
    assert.equal(await users.changePassword(user, 'of the thief'), undefined, what)
    assert.deepEqual(await users.candidate(user.username), before, what)
  }
})

test('a login at the moment of a new password is either before it and ended, or refused', async (t) => {
  const { users, sessions } = await createIdentityFixture(t)
  for (let round = 0; round < 30; round += 1) {
    const user = await users.create({ username: `u${round}`, passwordHash: 'h' })
    const opening = sessions.open({ user, authenticator: 'password' })
    const changing = users.setPassword(user.id, 'h2')
    const opened = await opening
    await changing
    assert.deepEqual(await sessions.list(user.id), [])
    if (opened !== undefined) assert.equal((await sessions.find(opened.token)).kind, 'unknown')
  }
})
