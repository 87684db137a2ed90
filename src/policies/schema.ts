import { type TSchema, Type } from '@sinclair/typebox'
import { policyLimits } from '../base/limits/policies.js'
import { effects, operators, subjectKinds } from './policy.js'

const { idCharactersMax, nameCharactersMax, descriptionCharactersMax, textCharactersMax } = policyLimits
const { itemsMax, priorityMax, networksMax, valuesMax, conditionsMax } = policyLimits

function exact(properties: Record<string, TSchema>, description?: string) {
  return Type.Object(properties, {
    additionalProperties: false,
    minProperties: 1,
    ...(description === undefined ? {} : { description }),
  })
}

function oneOf(texts: readonly string[], options: { description?: string; default?: string } = {}) {
  return Type.Union(
    texts.map((text) => Type.Literal(text)),
    options,
  )
}

function text(description: string, maxLength: number = textCharactersMax, minLength = 1) {
  return Type.String({ minLength, maxLength, description })
}

function optional(properties: Record<string, TSchema>): Record<string, TSchema> {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, Type.Optional(schema)]))
}

const scalar = Type.Union([
  Type.String({ maxLength: textCharactersMax }),
  Type.Number(),
  Type.Boolean(),
  Type.Null(),
])

const comparison = {
  name: text('Names of members with dots between them, e.g. "address.country".'),
  operator: Type.Optional(
    oneOf(operators, { default: 'eq', description: 'How the value is compared; "eq" when missing.' }),
  ),
  value: Type.Optional(
    Type.Union([scalar, Type.Array(scalar, { minItems: 1, maxItems: valuesMax })], {
      description:
        'A text, a number, true, false or null; a number for gt, gte, lt and lte; a list for in; for exists whether it has to be there.',
    }),
  ),
}

const networks = (description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
    minItems: 1,
    maxItems: networksMax,
    description,
  })

function conditionOf(type: string, properties: Record<string, TSchema>): TSchema {
  return Type.Object({ type: Type.Literal(type), ...properties }, { additionalProperties: false })
}

/** A condition; conditions inside of it are conditions again. */
export const conditionSchema = Type.Recursive(
  (self) =>
    Type.Union([
      conditionOf(
        'time',
        optional({
          after: text('HH:MM or RFC 3339, from which on it holds.', 64),
          before: text(
            'HH:MM or RFC 3339, before which it holds; when it is earlier than after, the next day.',
            64,
          ),
          days: Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), {
            minItems: 1,
            maxItems: 7,
            description: 'Days of the week from 1, Monday, to 7, Sunday.',
          }),
          timezone: text('IANA name of the time zone, e.g. "Europe/Berlin"; UTC when missing.', 64),
        }),
      ),
      conditionOf(
        'ip',
        optional({
          allow: networks('Addresses and CIDR blocks from which it holds; any when missing.'),
          deny: networks('Addresses and CIDR blocks from which it does not hold.'),
        }),
      ),
      conditionOf('claim', comparison),
      conditionOf('attribute', comparison),
      conditionOf('plugin', {
        plugin: text('Name of the plugin that is asked.', 64),
        name: text('Name of its predicate.', 64),
      }),
      conditionOf('not', { condition: self }),
      conditionOf('anyOf', { conditions: Type.Array(self, { minItems: 1, maxItems: conditionsMax }) }),
      conditionOf('allOf', { conditions: Type.Array(self, { minItems: 1, maxItems: conditionsMax }) }),
    ]),
  { $id: 'PolicyCondition' },
)

const subject = exact(
  optional({
    id: text('Id of the subject.'),
    kind: oneOf(subjectKinds),
    role: text('A role that the subject has; * is any number of characters.'),
    group: text('A group that the subject is in.'),
    tenant: text('Tenant of the subject.'),
    claim: exact(comparison),
  }),
)

const resource = exact(
  optional({
    app: text('Name of the app; * is any number of characters.'),
    path: text('Glob of the path: * is one segment or a part of one, ** any number of segments.'),
    type: text('Type of the resource.'),
    id: text('Id of the resource.'),
    owner: oneOf(['self'], {
      description: 'The attribute "owner" of the resource is the id of the subject.',
    }),
    attribute: exact(comparison),
  }),
)

const action = exact(
  optional({
    method: text('Method in any case; * is any, and GET is HEAD as well.', 32),
    operation: text('What is done, e.g. view, create, update, delete.'),
  }),
)

/** A policy as it is sent and stored; what JSON Schema cannot say is in `policy-rules.ts`. */
export const policySchema = Type.Object(
  {
    id: Type.String({
      minLength: 1,
      maxLength: idCharactersMax,
      pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]*$',
      description: 'Letters, digits and . _ : - after the first one.',
    }),
    name: Type.Optional(text('Label for people.', nameCharactersMax, 0)),
    description: Type.Optional(
      text('What it is for; those whom it denies something read it.', descriptionCharactersMax, 0),
    ),
    effect: oneOf(effects),
    priority: Type.Optional(
      Type.Integer({
        default: 0,
        minimum: -priorityMax,
        maximum: priorityMax,
        description: 'Larger goes first.',
      }),
    ),
    enabled: Type.Optional(Type.Boolean({ default: true })),
    subjects: Type.Array(subject, { maxItems: itemsMax, description: 'Who; an empty list is anybody.' }),
    resources: Type.Array(resource, {
      maxItems: itemsMax,
      description: 'On what; an empty list is anything.',
    }),
    actions: Type.Array(action, {
      maxItems: itemsMax,
      description: 'What is done; an empty list is anything.',
    }),
    conditions: Type.Optional(
      Type.Array(conditionSchema, { maxItems: conditionsMax, description: 'All of them must hold.' }),
    ),
  },
  { additionalProperties: false },
)

const claims = Type.Record(Type.String(), Type.Unknown())
const texts = (description: string) => Type.Array(text('', 255), { maxItems: 500, description })

/** What a decision is about, as it is sent to be tried. */
export const contextSchema = Type.Object(
  optional({
    subject: Type.Object(
      optional({
        id: text('Id; "anonymous" when missing.'),
        kind: oneOf(subjectKinds, { description: 'When missing, "user", and "anonymous" without an id.' }),
        roles: texts('Its roles.'),
        groups: texts('Its groups.'),
        tenant: text('Its tenant.'),
        claims,
      }),
      { additionalProperties: false },
    ),
    resource: Type.Object(
      optional({
        app: text('Name of the app.', textCharactersMax, 0),
        path: text('Path without a query, as the router reads it.', policyLimits.pathCharactersMax),
        type: text('Type.'),
        id: text('Id.'),
        attributes: claims,
      }),
      { additionalProperties: false },
    ),
    action: Type.Object(optional({ method: text('HTTP method.', 32), operation: text('What is done.') }), {
      additionalProperties: false,
    }),
    environment: Type.Object(
      optional({
        ip: text('Address of the client.', 64),
        time: Type.Union([Type.String(), Type.Number()], {
          description: 'RFC 3339, or milliseconds since 1970; now when missing.',
        }),
        userAgent: Type.String({ maxLength: 2048 }),
      }),
      { additionalProperties: false },
    ),
  }),
  { additionalProperties: false },
)
