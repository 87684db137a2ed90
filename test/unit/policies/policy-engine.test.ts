import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readContext } from '../../../src/policies/context.js'
import type { Policy } from '../../../src/policies/policy.js'
import { type ContextParts, context, engineOf, permits } from '../../helpers/policies.js'

const admin = { roles: ['admin'] }
const matching: readonly (readonly [
  name: string,
  parts: Partial<Policy>,
  yes: ContextParts[],
  no: ContextParts[],
])[] = [
  [
    'subjects by id',
    { subjects: [{ id: 'u1' }] },
    [{}],
    [{ subject: { id: 'u10' } }, { subject: { id: 'U1' } }],
  ],
  [
    'subjects by kind',
    { subjects: [{ kind: 'key' }] },
    [{ subject: { kind: 'key' } }],
    [{}, { subject: { kind: 'anonymous' } }],
  ],
  [
    'roles with stars',
    { subjects: [{ role: 'admin:*' }] },
    [{ subject: { roles: ['x', 'admin:eu'] } }, { subject: { roles: ['admin:'] } }],
    [{ subject: { roles: ['admin'] } }, { subject: { roles: ['xadmin:eu'] } }, {}],
  ],
  [
    'roles without regular expressions',
    { subjects: [{ role: 'a.*' }] },
    [{ subject: { roles: ['a.b'] } }],
    [{ subject: { roles: ['ab'] } }],
  ],
  ['any role is at least one', { subjects: [{ role: '*' }] }, [{ subject: admin }], [{}]],
  [
    'groups and tenants exactly',
    { subjects: [{ group: 'eng', tenant: 't1' }] },
    [{ subject: { groups: ['eng'], tenant: 't1' } }],
    [
      { subject: { groups: ['eng'] } },
      { subject: { groups: ['eng*'], tenant: 't1' } },
      { subject: { tenant: 't1' } },
    ],
  ],
  [
    'and inside an item, or across items',
    { subjects: [{ id: 'u1', role: 'admin' }, { group: 'ops' }] },
    [{ subject: admin }, { subject: { id: 'x', groups: ['ops'] } }],
    [{}, { subject: { id: 'x', roles: ['admin'] } }],
  ],
  [
    'apps with stars',
    { resources: [{ app: 'shop*' }] },
    [{ resource: { app: 'shop' } }, { resource: { app: 'shop-2' } }],
    [{ resource: { app: 'myshop' } }, { resource: { app: '' } }, {}],
  ],
  [
    'a request without an app',
    { resources: [{ app: '*' }] },
    [{ resource: { app: 'x' } }],
    [{ resource: { app: '' } }, {}],
  ],
  [
    'paths as globs',
    { resources: [{ path: '/api/**' }, { path: '/files/*/raw' }, { path: '/v1.0' }] },
    [
      { resource: { path: '/api' } },
      { resource: { path: '/api/' } },
      { resource: { path: '/api/x/y' } },
      { resource: { path: '/files/a/raw' } },
      { resource: { path: '/files/a/raw/' } },
      { resource: { path: '/v1.0' } },
    ],
    [
      { resource: { path: '/apix' } },
      { resource: { path: '/x/api' } },
      { resource: { path: '/files/a/b/raw' } },
      { resource: { path: '/files//raw' } },
      { resource: { path: '/v1a0' } },
      { resource: { path: '/API' } },
      {},
    ],
  ],
  ['the root', { resources: [{ path: '/' }] }, [{}], [{ resource: { path: '/a' } }]],
  ['everything', { resources: [{ path: '/**' }] }, [{}, { resource: { path: '/a/b/c/d/e/f' } }], []],
  [
    'types and ids',
    { resources: [{ type: 'doc', id: '7' }] },
    [{ resource: { type: 'doc', id: '7' } }],
    [{ resource: { type: 'doc' } }, { resource: { id: '7' } }, { resource: { type: 'doc', id: '70' } }],
  ],
  [
    'methods in any case, and HEAD with GET',
    { actions: [{ method: 'get' }] },
    [{}, { action: { method: 'head' } }, { action: { method: 'Get' } }],
    [{ action: { method: 'POST' } }],
  ],
  ['HEAD alone', { actions: [{ method: 'HEAD' }] }, [{ action: { method: 'HEAD' } }], [{}]],
  ['operations', { actions: [{ operation: 'view' }] }, [{}], [{ action: { operation: 'update' } }]],
  ['any method', { actions: [{ method: '*' }] }, [{}, { action: { method: 'BREW' } }], []],
]
for (const [name, parts, yes, no] of matching) {
  test(`matching: ${name}`, async () => {
    for (const about of yes) assert.equal(await permits(parts, about), true, JSON.stringify(about))
    for (const about of no) assert.equal(await permits(parts, about), false, JSON.stringify(about))
  })
}

test('owner self is whoever the resource says, and never somebody unknown', async () => {
  const parts = { resources: [{ owner: 'self' as const }] }
  const owned = (owner: unknown) => ({ resource: { attributes: { owner: owner as string } } })
  assert.equal(await permits(parts, owned('u1')), true)
  for (const other of ['u2', '', 'U1', null]) assert.equal(await permits(parts, owned(other)), false)
  assert.equal(await permits(parts), false)
  const nobody = { subject: { id: 'anonymous', kind: 'anonymous' as const }, ...owned('anonymous') }
  assert.equal(await permits(parts, nobody), false)
  // A list of owners is none that can be compared: what denies by it must not be without effect.
  const denying = engineOf([{ id: 'a' }, { id: 'd', effect: 'deny', ...parts }])
  assert.equal((await denying.evaluate(context(owned(['u1'])))).effect, 'deny')
})

test('the decision names its policy, and says why', async () => {
  const engine = engineOf([
    { id: 'all', name: 'Everybody', priority: -1 },
    {
      id: 'night',
      effect: 'deny',
      description: 'Closed at night.',
      conditions: [{ type: 'time', after: '20:00' }],
    },
  ])
  const at = (time: string) => context({ environment: { time: Date.parse(time) } })
  assert.deepEqual(await engine.evaluate(at('2026-03-04T12:00:00Z')), {
    effect: 'permit',
    decidedBy: 'all',
    reason: 'The policy "Everybody" says permit.',
    algorithm: 'deny-overrides',
  })
  assert.deepEqual(await engine.evaluate(at('2026-03-04T21:00:00Z')), {
    effect: 'deny',
    decidedBy: 'night',
    reason: 'Closed at night.',
    algorithm: 'deny-overrides',
  })
})

test('what cannot be evaluated is told to the log, and not to whom it denies', async () => {
  const engine = engineOf([
    {
      id: 'secret-rule',
      effect: 'deny',
      conditions: [{ type: 'claim', name: 'risk', operator: 'gt', value: 5 }],
    },
    { id: 'all' },
  ])
  const decision = await engine.evaluate(context({ subject: { claims: { risk: 'high' } } }))
  assert.equal(decision.effect, 'deny')
  assert.equal(decision.reason, 'A policy could not be evaluated.')
  assert.match(decision.failure ?? '', /policy "secret-rule": claim: claim "risk" cannot be compared by gt/)
})

test('what the engine cannot look at at all is denied, whatever the default', async () => {
  const engine = engineOf([{ id: 'all' }], { algorithm: 'permit-unless-deny', defaultEffect: 'permit' })
  const long = context({ resource: { path: `/${'a'.repeat(20_000)}` } })
  assert.equal((await engine.evaluate(long)).effect, 'deny')
  assert.equal((await engine.explain(long)).decision.effect, 'deny')
  const broken = { ...context(), subject: undefined } as unknown as Parameters<typeof engine.evaluate>[0]
  assert.equal((await engine.evaluate(broken)).effect, 'deny')
})

test('equals go in the order of their ids, and larger priorities first', async () => {
  const first = (...policies: Parameters<typeof engineOf>[0]) =>
    engineOf(policies, { algorithm: 'first-applicable' }).evaluate(context())
  assert.equal((await first({ id: 'b' }, { id: 'a', effect: 'deny' })).decidedBy, 'a')
  assert.equal((await first({ id: 'b', priority: 1 }, { id: 'a', effect: 'deny' })).decidedBy, 'b')
  assert.equal((await first({ id: 'b' }, { id: 'a', effect: 'deny', priority: -1 })).decidedBy, 'b')
})

test('explain says of every policy what matched, what each condition came to, and which one decided', async () => {
  const engine = engineOf([
    { id: 'off', enabled: false },
    { id: 'other', subjects: [{ role: 'admin' }], conditions: [{ type: 'ip', allow: ['10.0.0.0/8'] }] },
    {
      id: 'office',
      priority: 5,
      resources: [{ path: '/**' }],
      conditions: [
        { type: 'ip', allow: ['192.0.2.0/24'] },
        {
          type: 'anyOf',
          conditions: [
            { type: 'claim', name: 'dept', value: 'eng' },
            { type: 'time', days: [3] },
          ],
        },
      ],
    },
    { id: 'unclear', conditions: [{ type: 'plugin', plugin: 'risk', name: 'low' }] },
  ])
  const { decision, policies, combining } = await engine.explain(context())
  assert.equal(decision.effect, 'permit')
  assert.equal(decision.decidedBy, 'office')
  assert.deepEqual(policies, [
    {
      ...{ id: 'office', name: '', priority: 5, enabled: true, policyEffect: 'permit', decided: true },
      matched: { subject: true, resource: true, action: true },
      conditions: [
        { type: 'ip', result: true, reason: 'the address is allowed' },
        {
          type: 'anyOf',
          result: true,
          reason: '1 of 2 hold',
          conditions: [
            { type: 'claim', result: false, reason: 'claim "dept" is not eq "eng"' },
            { type: 'time', result: true, reason: 'the time is within on the days 3 in UTC' },
          ],
        },
      ],
      effect: 'permit',
    },
    {
      ...{ id: 'off', name: '', priority: 0, enabled: false, policyEffect: 'permit', decided: false },
      matched: { subject: true, resource: true, action: true },
      conditions: [],
      effect: 'notApplicable',
    },
    {
      ...{ id: 'other', name: '', priority: 0, enabled: true, policyEffect: 'permit', decided: false },
      matched: { subject: false, resource: true, action: true },
      conditions: [],
      effect: 'notApplicable',
    },
    {
      ...{ id: 'unclear', name: '', priority: 0, enabled: true, policyEffect: 'permit', decided: false },
      matched: { subject: true, resource: true, action: true },
      conditions: [
        {
          type: 'plugin',
          result: 'error',
          reason: '"low" of the plugin "risk" failed: no plugin can be asked here',
        },
      ],
      effect: 'indeterminate',
    },
  ])
  assert.deepEqual(combining, {
    algorithm: 'deny-overrides',
    considered: [
      { id: 'office', effect: 'permit', decided: true },
      { id: 'unclear', effect: 'indeterminate', decided: false },
    ],
    conclusion: 'A policy that denies goes before all that permit; "office" decided: permit.',
  })
})

test('a context that is sent is completed, and read with all its problems', () => {
  assert.deepEqual(readContext({}), {
    subject: { id: 'anonymous', kind: 'anonymous', roles: [], groups: [], claims: {} },
    resource: {},
    action: {},
    environment: {},
  })
  const sent = {
    subject: { id: 'u', roles: ['a'] },
    environment: { time: '2026-03-04T12:00:00Z', ip: '::1' },
  }
  const read = readContext(sent)
  assert.equal(read.subject.kind, 'user')
  assert.equal(read.environment?.time, Date.parse('2026-03-04T12:00:00Z'))
  const wrong = [
    null,
    [],
    'x',
    { subject: { roles: 'admin' } },
    { subject: { kind: 'root' } },
    { resource: { path: 'a' } },
    { environment: { time: 'yesterday' } },
    { environment: { time: 1e30 } },
    { user: {} },
    { subject: { claims: { x: 'a'.repeat(70_000) } } },
  ]
  for (const each of wrong) assert.throws(() => readContext(each), { code: 'POLICY_CONTEXT_INVALID' })
})
