import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HostError } from '../../../src/base/errors.js'
import { policyLimits } from '../../../src/base/limits/policies.js'
import { identityKinds } from '../../../src/identity/identity.js'
import { compilePolicy } from '../../../src/policies/compiled-policy.js'
import { subjectKinds } from '../../../src/policies/policy.js'
import { PolicyEngine } from '../../../src/policies/policy-engine.js'
import { readPolicy, tryReadPolicy } from '../../../src/policies/policy-reader.js'
import { context, document } from '../../helpers/policies.js'

const least = { id: 'p', effect: 'permit', subjects: [], resources: [], actions: [] }

test('what is missing is completed', () => {
  assert.deepEqual(readPolicy(least).policy, {
    ...least,
    name: '',
    description: '',
    priority: 0,
    enabled: true,
    conditions: [],
  })
})

test('what was read is a copy that nobody can change', () => {
  const sent = { ...least, subjects: [{ role: 'admin' }] }
  const { policy, text } = readPolicy(sent)
  sent.subjects.push({ role: 'guest' })
  assert.equal(policy.subjects.length, 1)
  assert.throws(() => Object.assign(policy.subjects[0] ?? {}, { role: 'guest' }), TypeError)
  assert.deepEqual(JSON.parse(text), policy)
  assert.deepEqual(readPolicy(JSON.parse(text)).policy, policy)
})

test('a policy with everything is taken', () => {
  const sent = {
    ...least,
    name: 'Doctors',
    description: 'Doctors see records',
    priority: -7,
    enabled: false,
    subjects: [
      {
        id: 'u1',
        kind: 'user',
        role: 'admin:*',
        group: 'eng',
        tenant: 't',
        claim: { name: 'a.b', value: 'x' },
      },
      { claim: { name: 'level', operator: 'gte', value: 3 } },
      { claim: { name: 'gone', operator: 'exists', value: false } },
    ],
    resources: [
      { app: 'shop*', path: '/api/**/x*y', type: 'doc', id: '1', owner: 'self' },
      { attribute: { name: 'state', operator: 'in', value: ['draft', null, 1, true] } },
    ],
    actions: [{ method: 'get', operation: 'read' }, { method: '*' }, { method: 'M-SEARCH' }],
    conditions: [
      { type: 'time', after: '22:00', before: '06:00', days: [1, 7], timezone: 'Europe/Berlin' },
      { type: 'time', after: '2026-01-01T00:00:00Z', before: '2026-12-31T23:59:59.5+01:00' },
      { type: 'ip', allow: ['10.0.0.0/8', '2001:db8::/32', '::ffff:192.0.2.0/120'], deny: ['10.0.0.1'] },
      { type: 'claim', name: 'email', operator: 'contains', value: '@' },
      { type: 'plugin', plugin: 'risk-score', name: 'low_risk' },
      {
        type: 'not',
        condition: { type: 'anyOf', conditions: [{ type: 'attribute', name: 'x', value: null }] },
      },
    ],
  }
  assert.deepEqual(readPolicy(sent).policy, sent)
})

const refused: readonly (readonly [name: string, parts: object, path: string, rule: RegExp])[] = [
  ['an unknown member', { subject: [] }, 'subject', /not known; did you mean subjects\?/],
  [
    'the regular expressions of others',
    { resources: [{ pathRegex: '.*' }] },
    'resources[0].pathRegex',
    /not known/,
  ],
  [
    'the operator regex',
    { subjects: [{ claim: { name: 'a', operator: 'regex', value: '(a+)+' } }] },
    'subjects[0].claim.operator',
    /must be one of "eq"/,
  ],
  [
    'custom conditions',
    { conditions: [{ type: 'custom' }] },
    'conditions[0].type',
    /must be one of "time", "ip"/,
  ],
  [
    'cidr beside the lists',
    { conditions: [{ type: 'ip', allow: ['10.0.0.0/8'], cidr: '10.0.0.0/8' }] },
    'conditions[0].cidr',
    /not known/,
  ],
  [
    'owners that nobody checks',
    { resources: [{ owner: 'u1' }] },
    'resources[0].owner',
    /must be one of "self"/,
  ],
  ['another effect', { effect: 'allow' }, 'effect', /one of "permit", "deny"/],
  ['an item that says nothing', { subjects: [{}] }, 'subjects[0]', /leave the list empty/],
  ['an id with a slash', { id: 'a/b' }, 'id', /letters, digits/],
  ['an id that is too long', { id: 'a'.repeat(65) }, 'id', /64 characters/],
  ['control characters', { description: 'a\u001b[2J' }, 'description', /control characters/],
  ['a priority with a fraction', { priority: 1.5 }, 'priority', /integer/],
  ['null', { priority: null }, 'priority', /integer/],
  ['a text for true', { enabled: 'false' }, 'enabled', /true or false/],
  ['a kind that there is not', { subjects: [{ kind: 'root' }] }, 'subjects[0].kind', /"anonymous"/],
  ['a path without a slash', { resources: [{ path: 'api/**' }] }, 'resources[0].path', /start with "\/"/],
  ['loose stars', { resources: [{ path: '/api**' }] }, 'resources[0].path', /only a part of the segment/],
  ['an empty segment', { resources: [{ path: '/a//b' }] }, 'resources[0].path', /empty segment/],
  ['a method with a star inside', { actions: [{ method: 'P*' }] }, 'actions[0].method', /a method/],
  [
    'a comparison without a value',
    { subjects: [{ claim: { name: 'a' } }] },
    'subjects[0].claim.value',
    /missing/,
  ],
  [
    'a text where numbers are compared',
    { conditions: [{ type: 'claim', name: 'a', operator: 'gt', value: '5' }] },
    'conditions[0].value',
    /a number for "gt"/,
  ],
  [
    'a list where one value is compared',
    { conditions: [{ type: 'attribute', name: 'a', value: ['x'] }] },
    'conditions[0].value',
    /"in" takes one/,
  ],
  [
    'one value where there has to be a list',
    { conditions: [{ type: 'claim', name: 'a', operator: 'in', value: 'x' }] },
    'conditions[0].value',
    /a list/,
  ],
  [
    'a name with an empty part',
    { conditions: [{ type: 'claim', name: 'a..b', value: 1 }] },
    'conditions[0].name',
    /dots/,
  ],
  [
    'a time without bounds',
    { conditions: [{ type: 'time', timezone: 'UTC' }] },
    'conditions[0]',
    /after, before or days/,
  ],
  [
    'an hour that there is not',
    { conditions: [{ type: 'time', after: '24:00' }] },
    'conditions[0].after',
    /HH:MM/,
  ],
  [
    'a day that there is not',
    { conditions: [{ type: 'time', before: '2026-02-30T00:00:00Z' }] },
    'conditions[0].before',
    /RFC 3339/,
  ],
  [
    'a weekday that there is not',
    { conditions: [{ type: 'time', days: [0] }] },
    'conditions[0].days[0]',
    /1 to 7/,
  ],
  [
    'a time zone that there is not',
    { conditions: [{ type: 'time', after: '09:00', timezone: 'Mars/Base' }] },
    'conditions[0].timezone',
    /IANA/,
  ],
  [
    'a window that never opens',
    { conditions: [{ type: 'time', after: '2026-02-01T00:00:00Z', before: '2026-01-01T00:00:00Z' }] },
    'conditions[0]',
    /never holds/,
  ],
  [
    'the end of no day',
    { conditions: [{ type: 'time', before: '00:00' }] },
    'conditions[0].before',
    /never holds/,
  ],
  ['no addresses', { conditions: [{ type: 'ip', allow: [] }] }, 'conditions[0].allow', /list of 1 to/],
  ['no list of addresses', { conditions: [{ type: 'ip' }] }, 'conditions[0]', /allow or deny/],
  ['half an address', { conditions: [{ type: 'ip', deny: ['10.0.0'] }] }, 'conditions[0].deny[0]', /CIDR/],
  [
    'a block of 33 bits',
    { conditions: [{ type: 'ip', deny: ['10.0.0.0/33'] }] },
    'conditions[0].deny[0]',
    /CIDR/,
  ],
  [
    'an empty choice',
    { conditions: [{ type: 'anyOf', conditions: [] }] },
    'conditions[0].conditions',
    /list of 1 to/,
  ],
  [
    'a plugin without a name',
    { conditions: [{ type: 'plugin', plugin: '', name: 'x' }] },
    'conditions[0].plugin',
    /1 to 64/,
  ],
]
for (const [name, parts, path, rule] of refused) {
  test(`refused by its path: ${name}`, () => {
    const read = tryReadPolicy({ ...least, ...parts })
    assert.ok('problems' in read)
    assert.deepEqual(
      read.problems.map((problem) => problem.path),
      [path],
    )
    assert.match(read.problems[0]?.rule ?? '', rule)
  })
}

test('all problems are told at once, and they are the same in the error', () => {
  const sent = { id: '', effect: 'x', subjects: [{ kind: 'x' }, { rolle: 'a' }], resources: 1, extra: 1 }
  assert.throws(
    () => readPolicy(sent),
    (error) => {
      assert.ok(error instanceof HostError)
      assert.equal(error.code, 'POLICY_INVALID')
      const problems = error.details?.problems as { path: string }[]
      assert.deepEqual(problems.map(({ path }) => path).sort(), [
        'actions',
        'effect',
        'extra',
        'id',
        'resources',
        'subjects[0].kind',
        'subjects[1].rolle',
      ])
      assert.match(error.message, /subjects\[1\]\.rolle is not known; did you mean role\?/)
      return true
    },
  )
})

test('a list that is left out means nobody, not anybody', () => {
  for (const name of ['subjects', 'resources', 'actions']) {
    const { [name as 'subjects']: _, ...rest } = least
    const read = tryReadPolicy(rest)
    assert.ok('problems' in read && read.problems[0]?.path === name)
  }
})

test('what is nested too deep, too long or too much is refused, and nothing breaks', () => {
  let nested: object = { type: 'ip', allow: ['::1'] }
  for (let level = 1; level < policyLimits.conditionDepthMax; level += 1)
    nested = { type: 'not', condition: nested }
  assert.ok('policy' in tryReadPolicy({ ...least, conditions: [nested] }))
  const deeper = tryReadPolicy({ ...least, conditions: [{ type: 'not', condition: nested }] })
  assert.ok('problems' in deeper && /deeper than 5/.test(deeper.problems[0]?.rule ?? ''))
  for (let level = 0; level < 50_000; level += 1) nested = { type: 'not', condition: nested }
  assert.ok('problems' in tryReadPolicy({ ...least, conditions: [nested] }))

  const leaf = { type: 'ip', allow: ['::1'] }
  const six = { type: 'anyOf', conditions: Array(10).fill(leaf) }
  const many = tryReadPolicy({ ...least, conditions: Array(5).fill(six) })
  assert.ok('problems' in many && /are 55 with those inside/.test(many.problems[0]?.rule ?? ''))
  const items = tryReadPolicy({ ...least, subjects: Array(51).fill({ id: 'a' }) })
  assert.ok('problems' in items && /at most 50/.test(items.problems[0]?.rule ?? ''))
  const large = tryReadPolicy({ ...least, subjects: Array(50).fill({ id: 'a'.repeat(500) }) })
  assert.ok('problems' in large && /bytes; the limit is 16384/.test(large.problems[0]?.rule ?? ''))
})

test('names that have a meaning to JavaScript are unknown members like others', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const sent = JSON.parse(
      `{"id":"p","effect":"deny","subjects":[],"resources":[],"actions":[],"${name}":{"a":1}}`,
    )
    const read = tryReadPolicy(sent)
    assert.ok('problems' in read && read.problems[0]?.path === name)
    const condition = tryReadPolicy({ ...least, conditions: [{ type: name }] })
    assert.ok('problems' in condition)
  }
  assert.equal(Object.hasOwn(Object.prototype, 'a'), false)
})

test('the name of an unknown member forges no sentence', () => {
  const read = tryReadPolicy({ ...least, 'x is fine\nid': 1 })
  assert.ok('problems' in read && read.problems[0]?.path === '"x is fine\\nid"')
})

test('whatever is sent, it is read or refused with paths, and what is read can be used', async () => {
  const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.double())
  const junk = fc.oneof(scalar, fc.jsonValue({ maxDepth: 4 }))
  const name = fc.constantFrom(
    ...[
      'id',
      'kind',
      'role',
      'group',
      'claim',
      'app',
      'path',
      'owner',
      'attribute',
      'method',
      'operation',
      'x',
    ],
  )
  const item = fc.dictionary(name, fc.oneof(junk, fc.constantFrom('self', 'user', '/a/**', 'GET')), {
    maxKeys: 3,
  })
  const list = fc.oneof(
    { weight: 5, arbitrary: fc.array(item, { maxLength: 3 }) },
    { weight: 1, arbitrary: junk },
  )
  const condition = fc.dictionary(
    fc.constantFrom(
      'type',
      'after',
      'allow',
      'name',
      'operator',
      'value',
      'conditions',
      'condition',
      'plugin',
    ),
    fc.oneof(junk, fc.constantFrom('time', 'ip', 'claim', 'not', 'anyOf', 'eq', '09:00', 'plugin')),
    { maxKeys: 4 },
  )
  const sent = fc.record({
    id: fc.oneof(fc.constant('p'), junk),
    effect: fc.oneof(fc.constantFrom('permit', 'deny'), junk),
    subjects: list,
    resources: list,
    actions: list,
    conditions: fc.oneof(fc.array(condition, { maxLength: 3 }), junk),
  })
  await fc.assert(
    fc.asyncProperty(sent, async (value) => {
      const read = tryReadPolicy(value)
      if ('problems' in read) {
        assert.ok(read.problems.length > 0)
        return
      }
      assert.deepEqual(readPolicy(JSON.parse(read.text)).policy, read.policy)
      const engine = new PolicyEngine({ policies: [compilePolicy(read.policy)] })
      const { effect } = await engine.evaluate(context())
      if (read.policy.effect === 'deny') assert.equal(effect, 'deny')
    }),
    { numRuns: 2000 },
  )
})

test('no JSON, a list, a text or nothing is no policy', () => {
  const cyclic: Record<string, unknown> = document({ id: 'p' }) as Record<string, unknown>
  cyclic.self = cyclic
  for (const sent of [undefined, null, 5, 'x', [], [least], () => 1, 10n, cyclic]) {
    assert.ok('problems' in tryReadPolicy(sent))
  }
})

test('subjects have the kinds that identities have', () => {
  assert.deepEqual([...subjectKinds], [...identityKinds])
})
