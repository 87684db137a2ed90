import { type Static, Type } from '@sinclair/typebox'
import { accountLimits, identityLimits, passwordLimits } from '../../base/limits/identity.js'

const strict = { additionalProperties: false } as const
const text = (description: string) => Type.String({ description })
const time = (description: string) => Type.String({ description: `${description} RFC 3339.` })
const label = Type.String({ minLength: 1, maxLength: identityLimits.labelCharactersMax })
const nameText = (description: string) =>
  Type.String({ minLength: 1, maxLength: identityLimits.nameCharactersMax, description })
const labels = (maxItems: number, description: string) => Type.Array(label, { maxItems, description })
const roles = labels(identityLimits.rolesMax, 'Names of roles.')
const groups = labels(
  identityLimits.groupsMax,
  'Names of groups, which mean something to rules, policies and plugins.',
)
const permissions = labels(accountLimits.permissionsMax, 'Permissions or patterns of some, e.g. content:*.')
const claims = Type.Record(Type.String(), Type.Unknown(), {
  description: 'What else is known of them, for rules, policies and plugins.',
})
const nullable = <Schema extends ReturnType<typeof Type.String>>(schema: Schema) =>
  Type.Union([schema, Type.Null()])
const password = (description: string) =>
  Type.String({ minLength: 1, maxLength: passwordLimits.codeUnitsMax, description })

export const okSchema = Type.Object({ ok: Type.Literal(true) })

export const logoutResultSchema = Type.Object({
  ok: Type.Literal(true),
  end_session_url: Type.Optional(
    text('Where a browser goes to sign out at the provider that it signed in at as well.'),
  ),
})

const identitySchema = Type.Object(
  {
    type: text('user, key, service or worker.'),
    id: text('Id of the user, or what the credential names them.'),
    name: Type.Optional(text('What they are called.')),
    email: Type.Optional(text('E-mail address.')),
    tenant_id: Type.Optional(text('Whose data they may see.')),
    roles: Type.Array(Type.String()),
    groups: Type.Array(Type.String()),
    attributes: Type.Record(Type.String(), Type.Unknown()),
    authenticator: text('What vouches for them.'),
    permissions: Type.Array(Type.String(), { description: 'What they may do in the administration.' }),
  },
  { description: 'Who sends the request.' },
)

export const userSchema = Type.Object({
  id: text('ULID.'),
  username: text('Unique without case.'),
  email: Type.Optional(text('Unique without case.')),
  name: Type.Optional(text('What others call them.')),
  roles: Type.Array(Type.String()),
  groups: Type.Array(Type.String()),
  tenant: Type.Optional(text('Whose data they may see.')),
  claims: Type.Record(Type.String(), Type.Unknown()),
  disabled: Type.Boolean({ description: 'True for somebody who is not let in.' }),
  has_password: Type.Boolean({ description: 'Whether they can sign in with a password.' }),
  external: Type.Optional(
    Type.Object(
      { issuer: Type.String(), subject: Type.String() },
      { description: 'Who vouches for them elsewhere.' },
    ),
  ),
  created_at: time('When they were created.'),
  updated_at: time('When they were changed last.'),
  last_login_at: Type.Optional(time('When they signed in last.')),
})

export const sessionSchema = Type.Object({
  id: text('ULID; opens nothing.'),
  authenticator: text('What let them in.'),
  ip: Type.Optional(text('Address that they signed in from.')),
  user_agent: Type.Optional(text('Browser that they signed in with.')),
  created_at: time('When they signed in.'),
  last_used_at: time('To the minute.'),
  expires_at: time('When it ends unless it is used before.'),
  current: Type.Boolean({ description: 'True for the session of this request.' }),
})

export const sessionsSchema = Type.Object({ sessions: Type.Array(sessionSchema) })

const ownSession = Type.Optional(sessionSchema)

export const loginBodySchema = Type.Object(
  {
    username: Type.String({
      minLength: 1,
      maxLength: accountLimits.emailCharactersMax,
      description: 'User name or e-mail address, in any case.',
    }),
    password: password('Never logged.'),
    session: Type.Optional(
      Type.Union([Type.Literal('cookie'), Type.Literal('token')], {
        description:
          'How the session is given: as a cookie to browsers, which is the default, or as a token to programs, which send it as header.',
      }),
    ),
  },
  strict,
)
export type LoginBody = Static<typeof loginBodySchema>

const csrfToken = Type.Optional(
  text('To be sent as X-CSRF-Token with whatever changes something, where the session is sent as cookie.'),
)
const token = Type.Optional(
  text('The session for programs, which send it as header; nobody can give it again.'),
)

export const loginResultSchema = Type.Object({
  user: userSchema,
  session: sessionSchema,
  csrf_token: csrfToken,
  token,
})

export const sessionResultSchema = Type.Object({
  identity: identitySchema,
  session: ownSession,
  csrf_token: csrfToken,
})

export const meResultSchema = Type.Object({ identity: identitySchema, user: Type.Optional(userSchema) })

export const passwordBodySchema = Type.Object(
  {
    old_password: password('The one that counts until now.'),
    new_password: password('The one that is to count.'),
  },
  strict,
)
export type PasswordBody = Static<typeof passwordBodySchema>

export const passwordResultSchema = Type.Object({
  ok: Type.Literal(true),
  session: ownSession,
  csrf_token: csrfToken,
  token,
})

const userFields = {
  email: Type.Optional(nullable(Type.String({ maxLength: accountLimits.emailCharactersMax }))),
  name: Type.Optional(nullable(Type.String({ maxLength: identityLimits.nameCharactersMax }))),
  roles: Type.Optional(roles),
  groups: Type.Optional(groups),
  tenant: Type.Optional(nullable(label)),
  claims: Type.Optional(claims),
  disabled: Type.Optional(Type.Boolean({ description: 'True ends all sessions and keys, for good.' })),
}
const username = Type.String({ minLength: 1, maxLength: accountLimits.usernameCharactersMax })

export const createUserBodySchema = Type.Object(
  {
    username,
    password: Type.Optional(password('Without one no password lets them in.')),
    external: Type.Optional(
      Type.Object(
        {
          issuer: Type.String({ minLength: 1, maxLength: accountLimits.issuerCharactersMax }),
          subject: Type.String({ minLength: 1, maxLength: identityLimits.nameCharactersMax }),
        },
        {
          ...strict,
          description: 'The provider at which they sign in, and who they are there; takes every permission.',
        },
      ),
    ),
    ...userFields,
  },
  strict,
)
export type CreateUserBody = Static<typeof createUserBodySchema>

export const updateUserBodySchema = Type.Object({ username: Type.Optional(username), ...userFields }, strict)
export type UpdateUserBody = Static<typeof updateUserBodySchema>

export const setPasswordBodySchema = Type.Object(
  {
    password: Type.Union([password('The one that is to count.'), Type.Null()], {
      description: 'Null lets none in.',
    }),
  },
  strict,
)
export type SetPasswordBody = Static<typeof setPasswordBodySchema>

/** Queries come as texts. */
const page = {
  limit: Type.Optional(
    Type.String({ pattern: '^[1-9]\\d{0,3}$', description: `Items at most, 1 to ${accountLimits.pageMax}.` }),
  ),
  cursor: Type.Optional(
    Type.String({
      maxLength: accountLimits.cursorCharactersMax,
      description: 'next_cursor of the page before.',
    }),
  ),
}
const flag = (description: string) =>
  Type.Optional(Type.Union([Type.Literal('true'), Type.Literal('false')], { description }))

export const userQuerySchema = Type.Object(
  {
    ...page,
    search: Type.Optional(
      Type.String({
        maxLength: accountLimits.searchCharactersMax,
        description: 'Beginning of the name or address.',
      }),
    ),
    role: Type.Optional(label),
    tenant: Type.Optional(label),
    disabled: flag('Only those who are, or are not.'),
  },
  strict,
)
export type UserQueryText = Static<typeof userQuerySchema>

const nextCursor = Type.Optional(text('cursor of the next page; absent on the last.'))

export const usersSchema = Type.Object({ users: Type.Array(userSchema), next_cursor: nextCursor })

export const userParamsSchema = Type.Object({ user: nameText('Id, user name or e-mail address.') })
export type UserParams = Static<typeof userParamsSchema>

export const idParamsSchema = Type.Object({ id: nameText('Id.') })
export type IdParams = Static<typeof idParamsSchema>

export const userSessionParamsSchema = Type.Object({
  ...userParamsSchema.properties,
  ...idParamsSchema.properties,
})
export type UserSessionParams = Static<typeof userSessionParamsSchema>

export const endedSchema = Type.Object({
  ok: Type.Literal(true),
  ended: Type.Integer({ description: 'How many.' }),
})

export const keySchema = Type.Object({
  id: text('The part of the key that is no secret.'),
  name: text('What it is called.'),
  kind: text('key for programs of its owner, service for another service.'),
  owner_id: Type.Optional(text('Id of the user that it goes with.')),
  roles: Type.Array(Type.String()),
  permissions: Type.Array(Type.String()),
  tenant: Type.Optional(text('Whose data it may see.')),
  created_by: text('Who made it.'),
  created_at: time('When it was made.'),
  expires_at: Type.Optional(time('When it ends; never when absent.')),
  revoked_at: Type.Optional(time('When it was revoked.')),
  last_used_at: Type.Optional(time('To the minute; absent when it never was.')),
})

const keyFields = {
  name: nameText('What it is called.'),
  roles: Type.Optional(roles),
  permissions: Type.Optional(permissions),
  expires_at: Type.Optional(
    Type.String({ maxLength: 64, description: 'RFC 3339; it never ends when absent.' }),
  ),
}

/** Without a kind: rules, routes and policies tell services by theirs, and nobody makes themselves one. */
export const createOwnKeyBodySchema = Type.Object(keyFields, strict)
export const createKeyBodySchema = Type.Object(
  {
    ...keyFields,
    kind: Type.Optional(Type.Union([Type.Literal('key'), Type.Literal('service')])),
    owner: Type.Optional(nameText('User that it goes with: it never does more than they may.')),
    tenant: Type.Optional(label),
  },
  strict,
)
export type CreateKeyBody = Static<typeof createKeyBodySchema>

export const issuedKeySchema = Type.Object({
  key: text('The whole key; nobody can give it again.'),
  ...keySchema.properties,
})

export const keyQuerySchema = Type.Object(
  {
    ...page,
    owner: Type.Optional(nameText('Id, name or address of a user.')),
    in_force: flag('true leaves out those that are revoked or over.'),
  },
  strict,
)
export type KeyQueryText = Static<typeof keyQuerySchema>

export const ownKeyQuerySchema = Type.Object(
  { ...page, in_force: flag('true leaves out those that are over.') },
  strict,
)

export const keysSchema = Type.Object({ keys: Type.Array(keySchema), next_cursor: nextCursor })

export const roleSchema = Type.Object({
  name: Type.String(),
  description: Type.String(),
  permissions: Type.Array(Type.String()),
  source: text('built-in, configuration or database.'),
  shadowed: Type.Boolean({
    description: 'True for one of the database that another of its name stands before.',
  }),
  updated_at: Type.Optional(time('Of those in the database.')),
})

export const rolesSchema = Type.Object({ roles: Type.Array(roleSchema) })

export const roleParamsSchema = Type.Object({ name: nameText('Name of the role.') })
export type RoleParams = Static<typeof roleParamsSchema>

export const putRoleBodySchema = Type.Object(
  {
    permissions,
    description: Type.Optional(Type.String({ maxLength: accountLimits.descriptionCharactersMax })),
  },
  strict,
)
export type PutRoleBody = Static<typeof putRoleBodySchema>
