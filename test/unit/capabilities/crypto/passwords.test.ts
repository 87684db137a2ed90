import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { passwordHashFault } from '../../../../src/capabilities/crypto/password-hash.js'
import { passwordTopics } from '../../../../src/capabilities/crypto/wire.js'
import { PasswordCalls } from '../../../../src/plugins/password-calls.js'
import { ToolVm } from '../../../helpers/tool-vm.js'

// From the tests of the reference implementation.
const vectors: readonly (readonly [string, string])[] = [
  ['password', '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'],
  ['password', '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'],
  // The order in which some libraries write the cost.
  ['password', '$argon2id$v=19$m=256,p=2,t=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc'],
  ['password', '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc'],
  [
    'differentpassword',
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94',
  ],
]

let lua: ToolVm

before(async () => {
  lua = await ToolVm.create()
})

describe('argon2', () => {
  it('checks the hashes of the reference implementation', async () => {
    for (const [password, hash] of vectors) {
      const [right, wrong] = await lua.run(
        'return crypto.argon2_verify(arg.hash, arg.password), crypto.argon2_verify(arg.hash, arg.password .. "x")',
        { password, hash },
      )
      assert.deepEqual([right, wrong], [true, false], hash)
    }
  })

  it('checks its own hashes, which differ each time', async () => {
    const [first, second, matches, empty] = await lua.run(`
      local a, b = crypto.argon2_hash("p\\0ä"), crypto.argon2_hash("p\\0ä")
      return a, b, crypto.argon2_verify(a, "p\\0ä"), crypto.argon2_verify(b, "p")`)
    assert.match(String(first), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    assert.notEqual(first, second)
    assert.deepEqual([matches, empty], [true, false])
  })

  it('does not compute what costs more than the limits', async () => {
    const tail = '$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
    const costs = [
      'm=65537,t=1,p=1',
      'm=4294967295,t=1,p=1',
      'm=9999999999,t=1,p=1',
      'm=8,t=17,p=1',
      'm=8,p=1,t=17',
      'm=256,p=9,t=1',
      'm=8,t=4294967295,p=1',
      'm=65536,t=5,p=1',
      'm=256,t=1,p=9',
      'm=256,t=1,p=16777215',
    ]
    for (const cost of costs)
      assert.match(String(passwordHashFault(`$argon2id$v=19$${cost}${tail}`)), /costs more/, cost)
    const calls = new PasswordCalls()
    for (const cost of costs) {
      const hash = `$argon2id$v=19$${cost}${tail}`
      assert.match(String((await lua.run('return crypto.argon2_verify(arg, "x")', hash))[1]), /costs more/)
      const answer = await calls.answer(askOf({ password: 'x', hash }))
      assert.ok('error' in answer)
    }
  })

  it('does not compute what is no hash', async () => {
    const good = vectors[1]?.[1] ?? ''
    const wrong = [
      '',
      'password',
      '$2b$10$abcdefghijklmnopqrstuu5Lo0g67CiD3M4RpN1BmBb4Crp5w7dbK',
      good.replace('v=19', 'v=16'),
      good.replace('$v=19', ''),
      good.replace('m=256', 'm=0256'),
      good.replace('m=256', 'm=-256'),
      good.replace('m=256', 'm=1e3'),
      good.replace('p=1', 'p=1,data=AAAA'),
      good.replace('p=1', 'p=1,keyid=AAAA'),
      good.replace('argon2id', 'argon2ID'),
      `${good}\n`,
      ` ${good}`,
      `${good}$`,
      good.replace('c29tZXNhbHQ', 'c29t'),
      good.replace('m=256,t=2,p=1', 'm=8,t=2,p=4'),
      good.repeat(20),
    ]
    for (const hash of wrong) {
      const [matches, reason] = await lua.run('return crypto.argon2_verify(arg, "password")', hash)
      assert.equal(matches, undefined, hash)
      assert.match(String(reason), /no encoded Argon2 hash/, hash)
    }
    const [matches, reason] = await lua.run('return crypto.argon2_verify("\\255", "password")')
    assert.equal(matches, undefined)
    assert.match(String(reason), /no encoded/)
    // Well formed to the eye, but with bits after the last byte.
    const [last, why] = await lua.run(
      'return crypto.argon2_verify(arg, "password")',
      good.replace('$c29tZXNhbHQ$', '$c29tZXNhbHR$'),
    )
    assert.notEqual(last, true)
    assert.ok(last === false || why === 'the hash cannot be read')
  })

  it('takes a few passwords a call, each of many operations', async () => {
    const many = 'for i = 1, 6 do crypto.argon2_verify(arg, "x") end'
    assert.match(await lua.error(many, vectors[1]?.[1]), /may hash or check 5 passwords/)
    const poor = await ToolVm.create('', { operationsMax: 99 })
    assert.match(await poor.error('crypto.argon2_verify("", "x") crypto.argon2_verify("", "x")'), /operation/)
    assert.match(
      await lua.error('crypto.argon2_hash(string.rep("x", 1025))'),
      /1025 bytes; the limit is 1024/,
    )
    assert.match(
      await lua.error('crypto.argon2_verify("", string.rep("x", 1025))'),
      /1025 bytes; the limit is 1024/,
    )
  })
})

describe('the host', () => {
  const [password, hash] = ['password', vectors[0]?.[1] ?? '']

  it('refuses a plugin that lets too many wait, and serves the others between', async () => {
    const calls = new PasswordCalls()
    const order: string[] = []
    const noted = async (plugin: string): Promise<unknown> => {
      const answer = await calls.answer({ ...askOf({ password, hash }), plugin })
      order.push('error' in answer ? `${plugin} refused` : plugin)
      return answer
    }
    const busy = Array.from({ length: 10 }, () => noted('busy'))
    await Promise.all([...busy, noted('other')])
    assert.equal(order.filter((each) => each === 'busy').length, 8)
    assert.equal(order.filter((each) => each === 'busy refused').length, 2)
    const ran = order.filter((each) => !each.endsWith('refused'))
    assert.ok(ran.indexOf('other') <= 1, `the other plugin came as ${ran.indexOf('other')}`)
  })

  it('computes nothing for a call whose time has run out', async () => {
    const calls = new PasswordCalls()
    const first = calls.answer(askOf({ password, hash }))
    const late = await calls.answer({ ...askOf({ password, hash }), timeLeftMs: 0 })
    assert.deepEqual(late, { error: 'the time of the call ran out' })
    assert.deepEqual(await first, { matches: true })
  })
})

function askOf(payload: unknown): Parameters<PasswordCalls['answer']>[0] {
  return {
    plugin: 'tester',
    version: '1',
    generation: 1,
    topic: passwordTopics.verify,
    phase: 'request',
    requestId: 'r1',
    timeLeftMs: 10_000,
    payload,
  }
}
