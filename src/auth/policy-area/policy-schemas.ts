import { type TSchema, Type } from '@sinclair/typebox'
import { algorithms } from '../../policies/combining.js'
import { effects } from '../../policies/policy.js'
import { policySchema } from '../../policies/schema.js'

const time = Type.Integer({ description: 'Milliseconds since 1970.' })

function oneOf(texts: readonly string[], description?: string): TSchema {
  return Type.Unsafe({ type: 'string', enum: texts, ...(description === undefined ? {} : { description }) })
}

const truth = Type.Unsafe({
  anyOf: [{ type: 'boolean' }, { type: 'string', enum: ['error', 'pending'] }],
  description: '`error` where nobody can tell; `pending` where a plugin was not asked.',
})
const outcome = oneOf(
  ['permit', 'deny', 'notApplicable', 'indeterminate'],
  '`indeterminate` where nobody can tell whether it applies.',
)

const problemsSchema = Type.Array(Type.Object({ path: Type.String(), rule: Type.String() }), {
  description: 'All that is wrong, each with its place.',
})

/** Conditions stand inside of each other, which a document without a place of their own cannot say. */
const conditions = Type.Array(
  Type.Object(
    { type: oneOf(['time', 'ip', 'claim', 'attribute', 'plugin', 'not', 'anyOf', 'allOf']) },
    { additionalProperties: true },
  ),
  { description: 'All of them must hold.' },
)

/** What is sent as a policy. */
export const policyBodySchema = Type.Object(
  { ...policySchema.properties, conditions: Type.Optional(conditions) },
  { additionalProperties: false },
)

/** The same where the path says which one it is. */
export const namedPolicyBodySchema = Type.Object(
  { ...policyBodySchema.properties, id: Type.Optional(Type.String({ description: 'That of the path.' })) },
  { additionalProperties: false },
)

const storedPolicy = Type.Object(
  {},
  { additionalProperties: true, description: 'The policy, complete; missing when it cannot be used.' },
)

export const listedSchema = Type.Object({
  id: Type.String(),
  policy: Type.Optional(storedPolicy),
  problems: problemsSchema,
  priority: Type.Number({ description: 'Larger goes first.' }),
  source: oneOf(['config', 'database'], 'Those of `config` can only be changed in the configuration.'),
  version: Type.Optional(Type.Integer({ description: 'Rises with each change; missing for `config`.' })),
  createdAt: Type.Optional(time),
  changedAt: Type.Optional(time),
  changedBy: Type.Optional(Type.String()),
})

export const pageSchema = Type.Object({
  policies: Type.Array(listedSchema),
  nextCursor: Type.Optional(Type.String({ description: 'Missing when this is the last page.' })),
})

export const versionsSchema = Type.Object({
  versions: Type.Array(
    Type.Object({
      version: Type.Integer(),
      change: oneOf(['create', 'replace', 'update', 'delete', 'seed']),
      changedAt: time,
      changedBy: Type.String(),
      policy: Type.Optional(storedPolicy),
    }),
  ),
})

export const decisionSchema = Type.Object({
  effect: oneOf(effects),
  decidedBy: Type.Optional(Type.String({ description: 'Id of the policy; missing when none applied.' })),
  reason: Type.String({ description: 'What whoever is denied something reads.' }),
  algorithm: oneOf(algorithms),
  failure: Type.Optional(Type.String({ description: 'Why a policy could not be evaluated.' })),
})

export const explanationSchema = Type.Object({
  decision: decisionSchema,
  policies: Type.Array(
    Type.Object({
      id: Type.String(),
      name: Type.String(),
      priority: Type.Number(),
      enabled: Type.Boolean(),
      policyEffect: oneOf(effects, 'What it does when it applies.'),
      matched: Type.Object({ subject: truth, resource: truth, action: truth }),
      conditions: Type.Array(
        Type.Object(
          { type: Type.String(), result: truth, reason: Type.String() },
          { additionalProperties: true },
        ),
      ),
      effect: outcome,
      decided: Type.Boolean(),
    }),
    { description: 'All there are, in the order in which they are looked at.' },
  ),
  combining: Type.Object({
    algorithm: oneOf(algorithms),
    considered: Type.Array(Type.Object({ id: Type.String(), effect: outcome, decided: Type.Boolean() })),
    conclusion: Type.String(),
  }),
})

export const statusSchema = Type.Object({
  algorithm: oneOf(algorithms),
  defaultEffect: oneOf(effects),
  policies: Type.Integer(),
  enabled: Type.Integer(),
  unusable: Type.Integer({ description: 'Stored ones that cannot be read; they count as indeterminate.' }),
  inUse: Type.Boolean({
    description:
      'False where no rule of the configuration names the authorizer `policies`: nothing is decided then.',
  }),
})

/** What a request that is not taken is answered with. */
export const refusalSchema = Type.Object({
  error: Type.String({ description: 'A sentence for a person.' }),
  code: Type.String({ description: 'Stable and machine-readable.' }),
  problems: Type.Optional(problemsSchema),
})
