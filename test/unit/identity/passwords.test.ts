import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { passwordLimits } from '../../../src/base/limits/identity.js'
import { checkNewPassword } from '../../../src/identity/password-rules.js'
import { createPasswordHasher } from '../../../src/identity/passwords.js'
import { failsWith } from '../../helpers/identity-fixture.js'

/** As cheap as argon2 allows: what is tested here is not what hashing costs. */
const cheap = { memoryKib: 64, passes: 1 }

test('a hash fits its password alone, and is another each time', async () => {
  const hasher = createPasswordHasher(cheap)
  const first = await hasher.hash('correct horse')
  const second = await hasher.hash('correct horse')
  assert.notEqual(first, second)
  assert.equal(first.includes('correct'), false)
  for (const stored of [first, second]) {
    assert.equal(await hasher.verify('correct horse', stored), true)
    for (const other of ['', 'correct hors', 'correct horse ', 'Correct horse', 'correct horse\0']) {
      assert.equal(await hasher.verify(other, stored), false, JSON.stringify(other))
    }
  }
})

test('any valid Unicode of any length that is allowed is a password, whole', async () => {
  const hasher = createPasswordHasher(cheap)
  const password = fc.string({ unit: 'binary', minLength: 8, maxLength: 120 })
  await fc.assert(
    fc.asyncProperty(password, password, async (text, other) => {
      const stored = await hasher.hash(text)
      assert.equal(await hasher.verify(text, stored), true)
      assert.equal(await hasher.verify(text.normalize('NFD'), stored), true)
      assert.equal(await hasher.verify(`${text}x`, stored), false)
      assert.equal(await hasher.verify(other, stored), other.normalize() === text.normalize())
    }),
    { numRuns: 60 },
  )
})

test('the costs are at least what OWASP recommends', async () => {
  const hasher = createPasswordHasher()
  const [, , , costs] = (await hasher.hash('correct horse')).split('$')
  const [memoryKib = 0, passes = 0, lanes] = (costs?.match(/\d+/g) ?? []).map(Number)
  assert.ok(memoryKib >= 19 * 1024 && passes >= 2)
  assert.equal(lanes, 1)
  assert.match(await hasher.hash('correct horse'), /^\$argon2id\$v=19\$/)
})

test('what cannot be a password fits nothing, and is hashed by nobody', async () => {
  const hasher = createPasswordHasher(cheap)
  const stored = await hasher.hash('a\ufffdb12345')
  for (const text of ['a\ud800b12345', 'x'.repeat(257), 'x'.repeat(1_000_000), '😀'.repeat(257)]) {
    assert.equal(await hasher.verify(text, stored), false)
    await assert.rejects(hasher.hash(text), /too long or no valid Unicode/)
  }
  const longest = '😀'.repeat(256)
  assert.equal(await hasher.verify(longest, await hasher.hash(longest)), true)
})

test('a stored hash that is malformed, of another kind or too dear fits nothing', async () => {
  const hasher = createPasswordHasher(cheap)
  const good = await hasher.hash('correct horse')
  const broken = [
    '',
    'correct horse',
    '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
    good.replace('argon2id', 'argon2i'),
    good.replace('v=19', 'v=16'),
    good.replace('m=64', 'm=7'),
    good.replace('m=64', 'm=4194304'),
    good.replace('t=1', 't=0'),
    good.replace('t=1', 't=100000'),
    good.replace('p=1', 'p=0'),
    good.replace('p=1', 'p=200'),
    good.slice(0, -1),
    `${good}A`,
    `${good}\n`,
    ` ${good}`,
    good.split('$').slice(0, 5).join('$'),
  ]
  for (const stored of broken) assert.equal(await hasher.verify('correct horse', stored), false, stored)
})

test('nobody pays costs that somebody else has chosen', async () => {
  const hasher = createPasswordHasher({ ...cheap, concurrentMax: 2 })
  const good = await hasher.hash('correct horse')
  for (const dear of [good.replace('t=1', 't=1000000'), good.replace('m=64', 'm=4194304')]) {
    const order: string[] = []
    const checking = hasher.verify('correct horse', dear).then(() => order.push('dear'))
    for (let count = 0; count < 300; count += 1) await hasher.verify('correct horse', good)
    order.push('many cheap ones')
    await checking
    assert.deepEqual(order, ['dear', 'many cheap ones'])
  }
})

test('no text in the place of a hash makes checking fail', async () => {
  const hasher = createPasswordHasher(cheap)
  const number = fc.integer({ min: 0, max: 99 }).map(String)
  const bytes = fc.string({ unit: fc.constantFrom(...'AZaz09+/'), minLength: 0, maxLength: 90 })
  const stored = fc
    .tuple(number, number, number, bytes, bytes)
    .map(([m, t, p, salt, digest]) => `$argon2id$v=19$m=${m},t=${t},p=${p}$${salt}$${digest}`)
  await fc.assert(
    fc.asyncProperty(fc.oneof(stored, fc.string()), async (text) => {
      assert.equal(await hasher.verify('correct horse', text), false)
    }),
    { numRuns: 300 },
  )
})

test('a hash of other costs is to be made anew, and fits until then', async () => {
  const old = await createPasswordHasher(cheap).hash('correct horse')
  const hasher = createPasswordHasher({ memoryKib: 128, passes: 2 })
  assert.equal(await hasher.verify('correct horse', old), true)
  assert.equal(hasher.needsRehash(old), true)
  assert.equal(hasher.needsRehash(await hasher.hash('correct horse')), false)
  assert.equal(hasher.needsRehash(''), true)
})

test('a password is checked at the same costs where there is no hash', async () => {
  const hasher = createPasswordHasher({ memoryKib: 16 * 1024, passes: 2 })
  const stored = await hasher.hash('correct horse')
  const costs = { known: Number.POSITIVE_INFINITY, unknown: Number.POSITIVE_INFINITY }
  for (let round = 0; round < 8; round += 1) {
    for (const [kind, hash] of [
      ['known', stored],
      ['unknown', undefined],
    ] as const) {
      const startMs = performance.now()
      assert.equal(await hasher.verify('wrong horse', hash), false)
      costs[kind] = Math.min(costs[kind], performance.now() - startMs)
    }
  }
  // Without the hash that is computed for nobody it would take a hundredth.
  assert.ok(costs.unknown > costs.known / 3, JSON.stringify(costs))
})

test('hashes wait for each other, and one too many is refused', async () => {
  const hasher = createPasswordHasher({ memoryKib: 4096, passes: 2, concurrentMax: 2, waitingMax: 3 })
  const outcomes = await Promise.allSettled(Array.from({ length: 9 }, () => hasher.hash('correct horse')))
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 5)
  for (const outcome of outcomes.slice(5)) {
    assert.equal(outcome.status, 'rejected')
    const message = await failsWith('PASSWORDS_BUSY', () => Promise.reject(outcome.reason))
    assert.match(message, /More than 3 /)
  }
  assert.equal(await hasher.verify('correct horse', await hasher.hash('correct horse')), true)
})

test('a failure gives its place to the next', async () => {
  const hasher = createPasswordHasher({ ...cheap, concurrentMax: 1, waitingMax: 1 })
  for (let round = 0; round < 5; round += 1) await assert.rejects(hasher.hash('x'.repeat(9999)))
  assert.match(await hasher.hash('correct horse'), /^\$argon2id/)
})

test('the event loop turns while passwords are hashed', async () => {
  const hasher = createPasswordHasher({ memoryKib: 64 * 1024, passes: 4 })
  let turns = 0
  let isDone = false
  const hashing = hasher.hash(randomBytes(20).toString('hex')).finally(() => {
    isDone = true
  })
  while (!isDone) {
    await sleep(1)
    turns += 1
  }
  await hashing
  assert.ok(turns > 5, `${turns} turns`)
})

test('a new password is of any kind and not among the first that are guessed', async () => {
  const words = ['Margaret', 'maggie@example.com', undefined]
  for (const good of [
    'correct horse',
    '   spaced  ',
    'пароль-и-ключ',
    '密码很长也很好记',
    'a1b2c3d4e5',
    '\u0000secret\u0001',
  ]) {
    checkNewPassword(good, words)
  }
  const { charactersMin, charactersMax } = passwordLimits
  const bad = [
    '',
    'x1'.repeat(charactersMin / 2).slice(1),
    'aaaaaaaaaaaa',
    'abababababab',
    'Password1',
    'PASSWORD',
    'qwertyuiop',
    'modulacms',
    'margaret',
    'Margaret12',
    'maggie@example.com',
    '202maggie',
    '😀😁😂😀😁😂😀',
    'a\ud800bcdefgh',
    'correct horse '.repeat(charactersMax),
  ]
  for (const password of bad) {
    const message = await failsWith('PASSWORD_REFUSED', () => checkNewPassword(password, words))
    assert.match(message, /8 to 256 characters/)
    if (password.length > 3 && password !== 'PASSWORD') assert.ok(!message.includes(password), message)
  }
})
