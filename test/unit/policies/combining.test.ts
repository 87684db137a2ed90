import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Algorithm } from '../../../src/policies/combining.js'
import type { Condition, Effect } from '../../../src/policies/policy.js'
import { allAlgorithms, context, engineOf, type PolicyParts } from '../../helpers/policies.js'

type Says = 'permit' | 'deny' | 'notApplicable' | 'unclearPermit' | 'unclearDeny'

/** What is decided, read off the tables of XACML 3.0, where an indeterminate end means to deny. */
function decide(algorithm: Algorithm, otherwise: Effect, says: readonly Says[]): Effect {
  const has = (...wanted: Says[]) => says.some((each) => wanted.includes(each))
  const first = says.find((each) => each !== 'notApplicable')
  switch (algorithm) {
    case 'deny-overrides':
      if (has('deny', 'unclearDeny')) return 'deny'
      if (has('permit')) return 'permit'
      return has('unclearPermit') ? 'deny' : otherwise
    case 'permit-overrides':
      if (has('permit')) return 'permit'
      return has('deny', 'unclearDeny', 'unclearPermit') ? 'deny' : otherwise
    case 'first-applicable':
      if (first === undefined) return otherwise
      return first === 'permit' ? 'permit' : 'deny'
    case 'deny-unless-permit':
      return has('permit') ? 'permit' : 'deny'
    case 'permit-unless-deny':
      // Here XACML would permit when nobody can tell whether something is denied.
      return has('deny', 'unclearDeny') ? 'deny' : 'permit'
  }
}

const says = fc.constantFrom<Says>('permit', 'deny', 'notApplicable', 'unclearPermit', 'unclearDeny')
/** How a condition comes to what it says: by itself, by a plugin, or in the target. */
const way = fc.constantFrom('condition', 'plugin', 'target')
const spoken = fc.record({ says, way, priority: fc.integer({ min: -2, max: 2 }) })

function policyThat(spoken: { says: Says; way: string; priority: number }, index: number): PolicyParts {
  const isDeny =
    spoken.says === 'deny' ||
    spoken.says === 'unclearDeny' ||
    (spoken.says === 'notApplicable' && index % 2 === 0)
  const parts = { id: `p${index}`, effect: isDeny ? 'deny' : 'permit', priority: spoken.priority } as const
  const is = spoken.says === 'notApplicable' ? 'no' : spoken.says.startsWith('unclear') ? 'error' : 'yes'
  if (spoken.way === 'plugin') return { ...parts, conditions: [{ type: 'plugin', plugin: 'p', name: is }] }
  const claim = { name: is, operator: 'gt', value: 0 } as const
  if (spoken.way === 'target') return { ...parts, subjects: [{ claim }] }
  return { ...parts, conditions: [{ type: 'claim', ...claim }] }
}

const claims = { yes: 1, no: 0, error: 'x' }

async function ask({ name }: { readonly name: string }): Promise<boolean> {
  if (name === 'error') throw new Error('failed')
  return name === 'yes'
}

function ordered(list: readonly { says: Says; priority: number }[]): readonly Says[] {
  return list
    .map((each, index) => ({ ...each, id: `p${index}` }))
    .sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1))
    .map((each) => each.says)
}

for (const algorithm of allAlgorithms) {
  test(`${algorithm} decides as its table says, whatever is unclear`, async () => {
    const effect = fc.constantFrom<Effect>('permit', 'deny')
    await fc.assert(
      fc.asyncProperty(fc.array(spoken, { maxLength: 7 }), effect, async (list, defaultEffect) => {
        const engine = engineOf(list.map(policyThat), { algorithm, defaultEffect, ask })
        const about = context({ subject: { claims } })
        const decision = await engine.evaluate(about)
        assert.equal(decision.effect, decide(algorithm, defaultEffect, ordered(list)))
        const explained = await engine.explain(about)
        assert.deepEqual(explained.decision, decision)
        for (const [index, each] of list.entries()) {
          const found = explained.policies.find(({ id }) => id === `p${index}`)
          assert.equal(found?.effect, each.says.startsWith('unclear') ? 'indeterminate' : each.says)
          assert.equal(found?.decided, decision.decidedBy === `p${index}`)
        }
        // Whoever decided has said so, or could not be told.
        const by = explained.policies.find(({ decided }) => decided)
        if (by !== undefined) assert.ok([decision.effect, 'indeterminate'].includes(by.effect))
        if (by?.effect === 'indeterminate') assert.equal(decision.effect, 'deny')
      }),
      { numRuns: 300 },
    )
  })

  test(`${algorithm}: an error where a policy denies is never better than its deny`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(spoken, { minLength: 1, maxLength: 6 }), fc.nat(), async (list, at) => {
        const index = at % list.length
        const withOne = (each: Says) =>
          engineOf(
            list.map((other, place) => policyThat(place === index ? { ...other, says: each } : other, place)),
            { algorithm, defaultEffect: 'permit', ask },
          ).evaluate(context({ subject: { claims } }))
        const denied = await withOne('deny')
        const unclear = await withOne('unclearDeny')
        if (denied.effect === 'deny') assert.equal(unclear.effect, 'deny')
        // Nor is an error where a policy permits better than its permit.
        if ((await withOne('permit')).effect === 'deny')
          assert.equal((await withOne('unclearPermit')).effect, 'deny')
      }),
      { numRuns: 150 },
    )
  })
}

/** The same as the engine, one policy after the other and without an index. */
function isMeant(parts: PolicyParts, about: ReturnType<typeof context>): boolean {
  const { subjects = [], resources = [], actions = [] } = parts
  const path = about.resource.path ?? ''
  const text = (glob: string, value: string) =>
    glob.includes('*') ? value !== '' && value.startsWith(glob.slice(0, -1)) : glob === value
  const meansPath = (glob: string) =>
    glob.endsWith('/**') ? `${path}/`.startsWith(glob.slice(0, -2)) : glob === path
  const list = <T>(items: readonly T[], is: (item: T) => boolean) => items.length === 0 || items.some(is)
  return (
    list(
      subjects,
      ({ id, role, group, tenant, kind }) =>
        (id === undefined || id === about.subject.id) &&
        (kind === undefined || kind === about.subject.kind) &&
        (role === undefined || about.subject.roles.some((each) => text(role, each))) &&
        (group === undefined || about.subject.groups.includes(group)) &&
        (tenant === undefined || tenant === about.subject.tenant),
    ) &&
    list(
      resources,
      ({ app, path: glob, type, id }) =>
        (app === undefined || text(app, about.resource.app ?? '')) &&
        (glob === undefined || meansPath(glob)) &&
        (type === undefined || type === about.resource.type) &&
        (id === undefined || id === about.resource.id),
    ) &&
    list(
      actions,
      ({ method, operation }) =>
        (method === undefined || method === '*' || method === about.action.method) &&
        (operation === undefined || operation === about.action.operation),
    )
  )
}

const few = fc.constantFrom('a', 'b', 'c')
const glob = fc.constantFrom('a', 'b', 'a*', '*')
const path = fc.constantFrom(
  '/a',
  '/a/**',
  '/a/b',
  '/a/b/**',
  '/b/**',
  '/**',
  '/',
  '/a/b/c/d/e',
  '/a/b/c/d/e/**',
)
const kind = fc.constantFrom('user' as const, 'key' as const)
const method = fc.constantFrom('GET', 'POST', '*')
const some = { requiredKeys: [] }
const filled = <T extends object>(item: fc.Arbitrary<T>) =>
  item.filter((each) => Object.keys(each).length > 0)
const subject = filled(fc.record({ id: few, role: glob, group: few, tenant: few, kind }, some))
const resource = filled(fc.record({ app: glob, path, type: few, id: few }, some))
const action = filled(fc.record({ method, operation: few }, some))
const parts = fc.record({
  effect: fc.constantFrom<Effect>('permit', 'deny'),
  priority: fc.integer({ min: 0, max: 3 }),
  subjects: fc.array(subject, { maxLength: 2 }),
  resources: fc.array(resource, { maxLength: 2 }),
  actions: fc.array(action, { maxLength: 2 }),
})
const about = fc.record({
  subject: fc.record({ id: few, kind, roles: fc.array(few), groups: fc.array(few), tenant: few }),
  resource: fc.record(
    {
      app: few,
      path: fc.constantFrom('/', '/a', '/a/b', '/a/b/c', '/a/b/c/d/e', '/a/b/c/d/e/f', '/b/x', '/c'),
      type: few,
      id: few,
    },
    some,
  ),
  action: fc.record({ method: fc.constantFrom('GET', 'POST'), operation: few }),
})

test('the index loses no policy that applies, and adds none', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(parts, { maxLength: 20 }),
      about,
      fc.constantFrom(...allAlgorithms),
      async (list, sent, algorithm) => {
        const policies = list.map((each, index) => ({ ...each, id: `p${String(index).padStart(2, '0')}` }))
        const asked = context(sent)
        const meant = policies.filter((each) => isMeant(each, asked))
        const inOrder = ordered(meant.map(({ effect, priority }) => ({ says: effect, priority })))
        const engine = engineOf(policies, { algorithm })
        const decision = await engine.evaluate(asked)
        assert.equal(decision.effect, decide(algorithm, 'deny', inOrder))
        const { policies: explained } = await engine.explain(asked)
        const applied = explained.filter(({ effect }) => effect !== 'notApplicable').map(({ id }) => id)
        assert.deepEqual(
          applied.sort(),
          meant.map(({ id }) => id),
        )
      },
    ),
    { numRuns: 1000 },
  )
})

test('conditions that plugins answer come to the same as conditions that are known', async () => {
  const tree: fc.Arbitrary<Condition> = fc.letrec<{ node: Condition }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'node' },
      fc
        .constantFrom('yes', 'no', 'error')
        .map((name): Condition => ({ type: 'claim', name, operator: 'gt', value: 0 })),
      tie('node').map((condition): Condition => ({ type: 'not', condition })),
      fc
        .array(tie('node'), { minLength: 1, maxLength: 3 })
        .map((conditions): Condition => ({ type: 'anyOf', conditions })),
      fc
        .array(tie('node'), { minLength: 1, maxLength: 3 })
        .map((conditions): Condition => ({ type: 'allOf', conditions })),
    ),
  })).node
  const asQuestion = (condition: Condition): Condition => {
    switch (condition.type) {
      case 'claim':
        return { type: 'plugin', plugin: 'p', name: condition.name }
      case 'not':
        return { type: 'not', condition: asQuestion(condition.condition) }
      case 'anyOf':
      case 'allOf':
        return { type: condition.type, conditions: condition.conditions.map(asQuestion) }
      default:
        return condition
    }
  }
  await fc.assert(
    fc.asyncProperty(tree, fc.constantFrom<Effect>('permit', 'deny'), async (condition, effect) => {
      const conclude = async (each: Condition) => {
        const engine = engineOf([{ id: 'x', effect, conditions: [each] }, { id: 'all' }], { ask })
        const { policies, decision } = await engine.explain(context({ subject: { claims } }))
        return [decision.effect, policies.find(({ id }) => id === 'x')?.effect]
      }
      assert.deepEqual(await conclude(asQuestion(condition)), await conclude(condition))
    }),
    { numRuns: 400 },
  )
})
