import { type Static, Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { AccessDescription, MatchReport, RuleReport } from '../auth/access-report.js'
import { serverLimits } from '../base/limits/server.js'
import type { AuthAdministration } from './options.js'
import { errorSchema, schemaOf } from './schemas.js'

const text = (description: string) => Type.String({ description })
const names = (description: string) => Type.Array(Type.String(), { description })
const place = (description: string) => Type.Integer({ description, minimum: 0 })

const accessFields = {
  authenticators: names('Who is asked who sends a request, in this order; the first that knows ends it.'),
  authorizers: names('Who is asked whether the sender may; all of them have to allow it.'),
  public: Type.Boolean({ description: 'True when nobody is asked, and everybody is anonymous.' }),
  strangers: Type.String({
    enum: ['refuse', 'pass'],
    description:
      'What becomes of requests without credentials: `refuse` answers 401, `pass` leaves it to what is behind.',
  }),
}

const accessSchema = Type.Object(accessFields)

const ruleSchema = Type.Object({
  at: place('Place in auth.http.rules, from 0.'),
  paths: names('Globs.'),
  methods: Type.Optional(names('All when missing.')),
  ...accessFields,
  roles: Type.Optional(names('Of which the sender has to have one.')),
  permissions: Type.Optional(names('All of which the sender has to have.')),
  tenant: Type.Optional(text('Where a request names the tenant that it is about.')),
  shadowed_by: Type.Array(Type.Integer(), {
    description: 'Places of the rules that leave no request to this one; empty when some come.',
  }),
})

const partySchema = Type.Object({
  name: text('What rules call it.'),
  type: text('E.g. jwt; `plugin` for those of plugins.'),
  plugin: Type.Optional(text('Name of its plugin.')),
  state: Type.String({
    enum: ['ready', 'paused', 'held'],
    description:
      '`held` when it is not asked, as its plugin does not run or it is not approved; `paused` when it has failed too often. What names such a one is refused.',
  }),
  reason: Type.Optional(text('Why it is not ready.')),
})

const statusSchema = Type.Object({
  enabled: Type.Boolean({ description: 'auth.enabled of the configuration.' }),
  rules: Type.Array(ruleSchema, { description: 'In their order; the first that holds decides alone.' }),
  default: accessSchema,
  operations: accessSchema,
  authenticators: Type.Array(partySchema),
  authorizers: Type.Array(partySchema),
  warnings: names('What may not have been meant.'),
})

const matchBodySchema = Type.Object(
  {
    method: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z]+$',
        maxLength: 32,
        description: 'Method of the request; GET when missing.',
      }),
    ),
    path: Type.String({
      pattern: '^/',
      maxLength: serverLimits.pathSegmentMax,
      description: 'Path as a client sends it, with a query or without.',
    }),
  },
  { additionalProperties: false },
)

const matchSchema = Type.Object({
  method: text('As it was asked for, in capital letters.'),
  path: text('As the router reads it.'),
  by: Type.String({
    enum: ['rule', 'operations', 'exempt', 'default', 'unclear', 'refused'],
    description:
      'What decides: a rule; what holds for the operations of the host, or for all else, where no rule does; something else that makes the path public, e.g. a rule of the proxy. `unclear` paths can be read as paths of different rules, `refused` ones in several ways at all; both answer 400.',
  }),
  rule: Type.Optional(place('Place of the rule that holds.')),
  access: Type.Optional(accessSchema),
  held: names('Those of them that are not ready; auth status tells why.'),
  readings: Type.Array(
    Type.Object({
      as: Type.String({
        enum: ['sent', 'simplified', 'any-case'],
        description:
          'As the router reads the path, without what some servers leave out of it, or without telling capital letters from small ones.',
      }),
      path: text('The path, so read.'),
      rule: Type.Optional(place('Place of the rule that holds for it; none when missing.')),
    }),
  ),
})

/** Looking at who may do what is no matter of plugins. */
const readingPermission: object = { permission: 'config:read' }

/** Adds what shows how the host is guarded, and which rule holds for a request. */
export function addAuthOperations(app: FastifyInstance, auth: AuthAdministration): void {
  const status = schemaOf({
    tag: 'auth',
    operationId: 'getAuthStatus',
    summary: 'Show the rules on who may do what, and whom they name',
    description: 'Takes the permission config:read.',
    answer: statusSchema,
  })
  app.get('/auth', { schema: status, config: readingPermission }, async () => {
    const { rules, fallback, ...rest } = auth.status()
    return { ...rest, default: fallback, rules: rules.map(showRule) }
  })

  const match = schemaOf({
    tag: 'auth',
    operationId: 'matchAuthRule',
    summary: 'Tell which rule holds for a request, without sending it',
    description: 'Asks neither authenticators nor authorizers. Takes the permission config:read.',
    body: matchBodySchema,
    answer: matchSchema,
    failures: { 400: errorSchema },
  })
  app.post<{ Body: Static<typeof matchBodySchema> }>(
    '/auth/match',
    { schema: match, config: readingPermission },
    async ({ body }): Promise<MatchReport> => auth.match(body.method ?? 'GET', body.path),
  )
}

function showRule({
  shadowedBy,
  ...rule
}: RuleReport): AccessDescription & { readonly shadowed_by: readonly number[] } {
  return { ...rule, shadowed_by: shadowedBy }
}
