import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Condition, JsonValue, TimeCondition } from '../../../src/policies/policy.js'
import { context, engineOf, resultOf } from '../../helpers/policies.js'

async function timeAt(condition: Omit<TimeCondition, 'type'>, at: string): Promise<unknown> {
  const { result } = await resultOf({ type: 'time', ...condition }, { environment: { time: Date.parse(at) } })
  return result
}

/** Wednesday, 4 March 2026. */
const times: readonly (readonly [condition: Omit<TimeCondition, 'type'>, at: string, holds: boolean])[] = [
  [{ after: '09:00', before: '18:00' }, '2026-03-04T09:00:00Z', true],
  [{ after: '09:00', before: '18:00' }, '2026-03-04T08:59:59.999Z', false],
  [{ after: '09:00', before: '18:00' }, '2026-03-04T17:59:59.999Z', true],
  [{ after: '09:00', before: '18:00' }, '2026-03-04T18:00:00Z', false],
  [{ after: '09:00' }, '2026-03-04T23:59:00Z', true],
  [{ before: '09:00' }, '2026-03-04T00:00:00Z', true],
  [{ after: '22:00', before: '06:00' }, '2026-03-04T23:00:00Z', true],
  [{ after: '22:00', before: '06:00' }, '2026-03-04T05:59:00Z', true],
  [{ after: '22:00', before: '06:00' }, '2026-03-04T06:00:00Z', false],
  [{ after: '22:00', before: '06:00' }, '2026-03-04T21:59:00Z', false],
  [{ after: '18:00', before: '00:00' }, '2026-03-04T23:59:59Z', true],
  [{ after: '18:00', before: '00:00' }, '2026-03-05T00:00:00Z', false],
  [{ days: [3] }, '2026-03-04T12:00:00Z', true],
  [{ days: [1, 2, 4, 5, 6, 7] }, '2026-03-04T12:00:00Z', false],
  [{ days: [7] }, '2026-03-08T12:00:00Z', true],
  // The night of Friday goes on until Saturday morning; that of Thursday ends on Friday morning.
  [{ after: '22:00', before: '06:00', days: [5] }, '2026-03-06T23:00:00Z', true],
  [{ after: '22:00', before: '06:00', days: [5] }, '2026-03-07T05:00:00Z', true],
  [{ after: '22:00', before: '06:00', days: [5] }, '2026-03-06T05:00:00Z', false],
  [{ after: '22:00', before: '06:00', days: [7] }, '2026-03-09T05:00:00Z', true],
  [{ after: '09:00', before: '10:00', timezone: 'Asia/Kolkata' }, '2026-03-04T03:30:00Z', true],
  [{ after: '09:00', before: '10:00', timezone: 'Asia/Kolkata' }, '2026-03-04T09:30:00Z', false],
  // Berlin is one hour ahead in winter and two in summer.
  [{ after: '09:00', before: '10:00', timezone: 'Europe/Berlin' }, '2026-01-15T08:30:00Z', true],
  [{ after: '09:00', before: '10:00', timezone: 'Europe/Berlin' }, '2026-07-15T07:30:00Z', true],
  [{ after: '09:00', before: '10:00', timezone: 'Europe/Berlin' }, '2026-07-15T08:30:00Z', false],
  // At this moment it is Thursday already in Auckland.
  [{ days: [4], timezone: 'Pacific/Auckland' }, '2026-03-04T12:00:00Z', true],
  [{ after: '2026-03-04T12:00:00Z' }, '2026-03-04T12:00:00Z', true],
  [{ after: '2026-03-04T12:00:00Z' }, '2026-03-04T11:59:59Z', false],
  [{ before: '2026-03-04T13:00:00+01:00' }, '2026-03-04T12:00:00Z', false],
  [{ after: '2026-03-01T00:00:00Z', before: '10:00' }, '2026-03-04T09:00:00Z', true],
  [{ after: '2026-03-01T00:00:00Z', before: '10:00' }, '2026-03-04T11:00:00Z', false],
]
for (const [condition, at, holds] of times) {
  test(`time ${JSON.stringify(condition)} at ${at}: ${holds}`, async () => {
    assert.equal(await timeAt(condition, at), holds)
  })
}

test('the clock is asked when nobody says the time, and the time zone of the machine is never', async () => {
  const engine = engineOf([{ id: 'p', conditions: [{ type: 'time', after: '09:00', before: '10:00' }] }], {
    now: () => Date.parse('2026-03-04T09:30:00Z'),
  })
  const { environment: _, ...rest } = context()
  assert.equal((await engine.evaluate(rest)).effect, 'permit')
})

test('a time that is no moment is an error', async () => {
  for (const time of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const { result } = await resultOf({ type: 'time', after: '09:00' }, { environment: { time } })
    assert.equal(result, 'error')
  }
})

const addresses: readonly (readonly [
  condition: { allow?: string[]; deny?: string[] },
  ip: string,
  result: unknown,
])[] = [
  [{ allow: ['10.0.0.0/8'] }, '10.255.0.1', true],
  [{ allow: ['10.0.0.0/8'] }, '11.0.0.1', false],
  [{ allow: ['10.0.0.1'] }, '10.0.0.1', true],
  [{ allow: ['10.0.0.1'] }, '10.0.0.10', false],
  [{ allow: ['0.0.0.0/0'] }, '203.0.113.9', true],
  [{ allow: ['0.0.0.0/0'] }, '2001:db8::1', false],
  [{ allow: ['::/0'] }, '203.0.113.9', false],
  [{ allow: ['2001:db8::/32'] }, '2001:0DB8:0::5', true],
  [{ allow: ['2001:db8::/32'] }, '2001:db9::5', false],
  [{ allow: ['10.0.0.0/8'] }, '::ffff:10.1.2.3', true],
  [{ deny: ['10.0.0.0/8'] }, '::FFFF:0a01:0203', false],
  [{ allow: ['10.0.0.0/8'], deny: ['10.0.0.0/24'] }, '10.0.0.5', false],
  [{ allow: ['10.0.0.0/8'], deny: ['10.0.0.0/24'] }, '10.0.1.5', true],
  [{ deny: ['10.0.0.1'] }, '192.0.2.1', true],
  [{ allow: ['10.0.0.0/8'] }, '10.0.0.1, 203.0.113.9', 'error'],
  [{ deny: ['10.0.0.0/8'] }, 'unknown', 'error'],
  [{ deny: ['10.0.0.0/8'] }, '', 'error'],
  [{ deny: ['10.0.0.0/8'] }, '010.0.0.1', 'error'],
]
for (const [condition, ip, expected] of addresses) {
  test(`ip ${JSON.stringify(condition)} of "${ip}": ${expected}`, async () => {
    const { result } = await resultOf({ type: 'ip', ...condition }, { environment: { ip } })
    assert.equal(result, expected)
  })
}

test('blocks of IPv4 hold the addresses that share their bits', async () => {
  const address = fc.nat({ max: 0xffffffff })
  const write = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')
  await fc.assert(
    fc.asyncProperty(address, address, fc.integer({ min: 0, max: 32 }), async (network, ip, bits) => {
      const near =
        bits === 0 ? ip : ((network >>> (32 - bits)) << (32 - bits)) | (ip & (2 ** (32 - bits) - 1))
      for (const each of [ip, near >>> 0]) {
        const expected = Math.floor(network / 2 ** (32 - bits)) === Math.floor(each / 2 ** (32 - bits))
        const { result } = await resultOf(
          { type: 'ip', allow: [`${write(network)}/${bits}`] },
          { environment: { ip: write(each) } },
        )
        assert.equal(result, expected, `${write(network)}/${bits} ${write(each)}`)
      }
    }),
    { numRuns: 300 },
  )
})

const claims: { readonly [name: string]: JsonValue } = {
  dept: 'eng',
  level: 5,
  text: '5',
  on: true,
  none: null,
  tags: ['a', 'b', 3],
  address: { country: 'de', deep: { er: 1 } },
  'https://x.example/role': 'lead',
  'a.b': 'flat',
  a: { b: 'nested' },
}
const comparisons: readonly (readonly [name: string, operator: string, value: unknown, result: unknown])[] = [
  ['dept', 'eq', 'eng', true],
  ['dept', 'eq', 'Eng', false],
  ['text', 'eq', 5, false],
  ['level', 'eq', 5, true],
  ['none', 'eq', null, true],
  ['gone', 'eq', null, false],
  ['tags', 'eq', 'a', 'error'],
  ['dept', 'neq', 'ops', true],
  ['dept', 'neq', 'eng', false],
  ['gone', 'neq', 'eng', true],
  ['tags', 'neq', 'a', 'error'],
  ['level', 'gt', 4, true],
  ['level', 'gt', 5, false],
  ['level', 'gte', 5, true],
  ['level', 'lt', 6, true],
  ['level', 'lte', 4, false],
  ['text', 'gt', 4, 'error'],
  ['on', 'gt', 0, 'error'],
  ['gone', 'gt', 0, false],
  ['gone', 'lt', 0, false],
  ['dept', 'contains', 'ng', true],
  ['dept', 'contains', 'x', false],
  ['tags', 'contains', 'b', true],
  ['tags', 'contains', 3, true],
  ['tags', 'contains', '3', false],
  ['level', 'contains', 5, 'error'],
  ['gone', 'contains', 'x', false],
  ['dept', 'in', ['ops', 'eng'], true],
  ['dept', 'in', ['ops'], false],
  ['tags', 'in', ['x', 'b'], true],
  ['address', 'in', ['x'], 'error'],
  ['none', 'exists', undefined, true],
  ['gone', 'exists', undefined, false],
  ['gone', 'exists', false, true],
  ['address.country', 'eq', 'de', true],
  ['address.deep.er', 'eq', 1, true],
  ['address.country.x', 'exists', undefined, false],
  ['dept.length', 'exists', undefined, false],
  ['tags.0', 'exists', undefined, false],
  ['https://x.example/role', 'eq', 'lead', true],
  ['a.b', 'eq', 'flat', true],
  ['__proto__', 'exists', undefined, false],
  ['constructor.name', 'exists', undefined, false],
  ['address.__proto__', 'exists', undefined, false],
  ['toString', 'exists', undefined, false],
]
for (const [name, operator, value, expected] of comparisons) {
  test(`${name} ${operator} ${JSON.stringify(value)}: ${expected}`, async () => {
    const comparison = { name, operator, ...(value === undefined ? {} : { value }) }
    const claim = { type: 'claim', ...comparison } as Condition
    const attribute = { type: 'attribute', ...comparison } as Condition
    assert.equal((await resultOf(claim, { subject: { claims } })).result, expected)
    assert.equal((await resultOf(attribute, { resource: { attributes: claims } })).result, expected)
  })
}

const yes: Condition = { type: 'claim', name: 'dept', value: 'eng' }
const no: Condition = { type: 'claim', name: 'dept', value: 'ops' }
const fails: Condition = { type: 'claim', name: 'text', operator: 'gt', value: 1 }
const nested: readonly (readonly [condition: Condition, result: unknown])[] = [
  [{ type: 'not', condition: no }, true],
  [{ type: 'not', condition: yes }, false],
  [{ type: 'not', condition: fails }, 'error'],
  [{ type: 'anyOf', conditions: [no, yes] }, true],
  [{ type: 'anyOf', conditions: [fails, yes] }, true],
  [{ type: 'anyOf', conditions: [fails, no] }, 'error'],
  [{ type: 'anyOf', conditions: [no] }, false],
  [{ type: 'allOf', conditions: [yes, yes] }, true],
  [{ type: 'allOf', conditions: [fails, no] }, false],
  [{ type: 'allOf', conditions: [yes, fails] }, 'error'],
]
for (const [condition, expected] of nested) {
  test(`${JSON.stringify(condition)}: ${expected}`, async () => {
    assert.equal((await resultOf(condition, { subject: { claims } })).result, expected)
  })
}

const asks: Condition = { type: 'plugin', plugin: 'risk', name: 'low' }

test('a plugin is asked, with what the decision is about', async () => {
  const asked: unknown[] = []
  const ask = async (question: unknown) => asked.push(question) > 0
  const { result, reason } = await resultOf(asks, {}, { ask })
  assert.equal(result, true)
  assert.match(reason, /"low" of the plugin "risk" says true/)
  assert.deepEqual(asked, [{ plugin: 'risk', name: 'low', context: context() }])
})

const failures: readonly (readonly [
  name: string,
  ask: (() => Promise<boolean>) | undefined,
  reason: RegExp,
])[] = [
  ['nobody can be asked', undefined, /no plugin can be asked/],
  ['it rejects', () => Promise.reject(new Error('breaker open')), /breaker open/],
  [
    'it throws',
    () => {
      throw new Error('at once')
    },
    /at once/,
  ],
  ['it says something else', async () => 'yes' as unknown as boolean, /neither true nor false/],
  ['it says nothing', async () => undefined as unknown as boolean, /neither true nor false/],
]
for (const [name, ask, expected] of failures) {
  test(`a plugin condition fails closed when ${name}`, async () => {
    const options = ask === undefined ? {} : { ask }
    const { result, reason } = await resultOf(asks, {}, options)
    assert.equal(result, 'error')
    assert.match(reason, expected)
    const denying = engineOf([{ id: 'a' }, { id: 'd', effect: 'deny', conditions: [asks] }], options)
    assert.equal((await denying.evaluate(context())).effect, 'deny')
    const permitting = engineOf([{ id: 'a', conditions: [asks] }], { ...options, defaultEffect: 'permit' })
    assert.equal((await permitting.evaluate(context())).effect, 'deny')
  })
}

test('a plugin that never answers is not waited for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const engine = engineOf([{ id: 'a', conditions: [asks] }], { ask: () => new Promise(() => undefined) })
  const deciding = engine.evaluate(context())
  await Promise.resolve()
  t.mock.timers.tick(10_000)
  const { effect, failure } = await deciding
  assert.equal(effect, 'deny')
  assert.match(failure ?? '', /no answer within 2000 ms/)
})

test('each question is asked once for a decision, and none in vain', async () => {
  const asked: string[] = []
  const ask = async ({ name }: { readonly name: string }) => {
    asked.push(name)
    return true
  }
  const question = (name: string): Condition => ({ type: 'plugin', plugin: 'p', name })
  const engine = engineOf(
    [
      { id: 'a', conditions: [question('x'), question('y')] },
      { id: 'b', conditions: [question('y'), { type: 'not', condition: question('x') }] },
      { id: 'c', conditions: [question('never'), no] },
      { id: 'd', subjects: [{ role: 'nobody' }], conditions: [question('never')] },
      { id: 'e', enabled: false, conditions: [question('never')] },
    ],
    { ask },
  )
  assert.equal((await engine.evaluate(context())).effect, 'permit')
  assert.deepEqual(asked.sort(), ['x', 'y'])

  const settled = engineOf(
    [
      { id: 'a', conditions: [question('never')] },
      { id: 'z', effect: 'deny' },
    ],
    { ask },
  )
  assert.equal((await settled.evaluate(context())).decidedBy, 'z')
  assert.deepEqual(asked.sort(), ['x', 'y'])
})

test('one decision asks only so many questions; what asks more fails closed', async () => {
  let asked = 0
  const conditions = Array.from(
    { length: 17 },
    (_, at): Condition => ({ type: 'plugin', plugin: 'p', name: `n${at}` }),
  )
  const engine = engineOf([{ id: 'a', conditions }], {
    ask: async () => {
      asked += 1
      return true
    },
  })
  const { effect, failure } = await engine.evaluate(context())
  assert.equal(effect, 'deny')
  assert.match(failure ?? '', /at most 16 questions/)
  assert.equal(asked, 16)
})

test('an explanation asks what the decision did not need, and changes nothing by it', async () => {
  const asked: string[] = []
  const question = (name: string): Condition => ({ type: 'plugin', plugin: 'p', name })
  const engine = engineOf(
    [
      { id: 'a', conditions: Array.from({ length: 16 }, (_, at) => question(`n${at}`)) },
      { id: 'b', conditions: [{ type: 'claim', name: 'gone', value: 1 }, question('extra')] },
    ],
    {
      ask: async ({ name }) => {
        asked.push(name)
        return true
      },
    },
  )
  assert.equal((await engine.evaluate(context())).decidedBy, 'a')
  assert.equal(asked.length, 16)
  asked.length = 0
  const { decision, policies } = await engine.explain(context())
  assert.equal(decision.decidedBy, 'a')
  assert.deepEqual(
    policies.find(({ id }) => id === 'b')?.conditions.map(({ result }) => result),
    [false, true],
  )
  assert.equal(asked.length, 17)
  assert.equal(asked.at(-1), 'extra')
})
