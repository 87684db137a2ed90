import { type TSchema, Type } from '@sinclair/typebox'
import { authLimits } from '../base/limits/auth.js'
import { policyLimits } from '../base/limits/policies.js'
import { permissionNameWords } from './auth-rules.js'

const name = (description: string) => Type.String({ minLength: 1, maxLength: 64, description })

const names = (description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: authLimits.pathsMax, description })

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

const rule = Type.Object(
  {
    paths: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      maxItems: authLimits.pathsMax,
      description:
        'Paths that the rule holds for: `*` is one segment, `**` any number of them, everything else itself.',
    }),
    methods: Type.Optional(
      Type.Array(Type.Union(methods.map((each) => Type.Literal(each))), {
        minItems: 1,
        maxItems: methods.length,
        description: 'Methods that the rule holds for, `GET` with `HEAD`; all when missing.',
      }),
    ),
    authenticators: names(
      'Authenticators that are asked, in this order; at least one has to know who sends a request. An empty list makes the paths public, and is the only thing that does.',
    ),
    authorizers: Type.Optional(
      names('Authorizers, all of which have to allow a request; those of `auth.http` when missing.'),
    ),
    authorizer: Type.Optional(name('The same for a single one.')),
    roles: Type.Optional(names('Roles one of which is needed.')),
    permissions: Type.Optional(names(`Permissions all of which are needed: ${permissionNameWords}.`)),
    tenant: Type.Optional(
      name(
        'Where requests name the tenant whose data they are about, for `tenant_scope`: `header:<name>`, `query:<name>` or `segment:<n>` of the path.',
      ),
    ),
  },
  { additionalProperties: false },
)

const claims = Type.Object(
  {
    roles: Type.Optional(
      names('Claims whose members are roles; `roles` and `realm_access.roles` when missing.'),
    ),
    groups: Type.Optional(names('Claims whose members are groups; `groups` when missing.')),
    tenant: Type.Optional(name('Claim that is the tenant; `tenant` when missing.')),
    name: Type.Optional(name('Claim that is the name; `name` when missing.')),
    email: Type.Optional(name('Claim that is the e-mail address; `email` when missing.')),
  },
  { additionalProperties: false, description: 'Where a token says what, as names with dots.' },
)

const text = (description: string) => Type.String({ minLength: 1, maxLength: 2048, description })

/** Which of these belong to which type says `auth-conflicts.ts`. */
const authenticator = Type.Object(
  {
    type: Type.Union([Type.Literal('jwt'), Type.Literal('oidc')], {
      description:
        '`jwt` verifies JSON Web Tokens of one issuer, sent as bearer tokens; `oidc` lets people sign in at a provider of OpenID Connect, for a session.',
    }),
    issuer: text('What `iss` of its tokens is; where it has no keys given, its address with https.'),
    audience: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), names('Several of them.')], {
        description: '`jwt`: what `aud` of a token has to name; of several one is enough.',
      }),
    ),
    jwksUri: Type.Optional(
      Type.String({
        description:
          '`jwt`: address of the keys of the issuer, fetched again when it changes them. Without it, `secret` and `publicKey`, the issuer is asked for it.',
      }),
    ),
    secret: Type.Optional(
      Type.String({
        minLength: 32,
        description:
          '`jwt`: the secret that the issuer signs with, of at least 32 characters, best as a variable of the environment.',
      }),
    ),
    publicKey: Type.Optional(Type.String({ description: '`jwt`: the key of the issuer, as PEM.' })),
    algorithms: Type.Optional(
      names('Algorithms that are accepted; all that fit the kind of key when missing. `none` never is.'),
    ),
    clockSkew: Type.Optional(
      Type.String({ description: 'By how much the clock of the issuer may differ; 60s when missing.' }),
    ),
    claims: Type.Optional(claims),
    clientId: Type.Optional(text('`oidc`: what the provider calls this host.')),
    clientSecret: Type.Optional(
      text(
        '`oidc`: the secret of this host at the provider, best as a variable of the environment; without it the host is a public client.',
      ),
    ),
    redirectUri: Type.Optional(
      text(
        '`oidc`: address to which the provider sends people back, as browsers reach it; it ends with `/api/v1/auth/oidc/<name>/callback`.',
      ),
    ),
    postLogoutRedirectUri: Type.Optional(
      text('`oidc`: address to which the provider sends people who have signed out, which it has to know.'),
    ),
    scopes: Type.Optional(
      names(
        '`oidc`: what is asked for; `openid`, `profile` and `email` when missing. `openid` has to be there.',
      ),
    ),
    roles: Type.Optional(
      Type.Object(
        {
          realm: Type.Optional(
            Type.Boolean({ description: 'Take the roles of the realm; false when missing.' }),
          ),
          clients: Type.Optional(names('Take the roles of these clients, and of no others.')),
        },
        {
          additionalProperties: false,
          description: '`oidc`: the roles of Keycloak that are taken, beside those of `claims`.',
        },
      ),
    ),
    roleMap: Type.Optional(
      Type.Record(Type.String(), names('Roles of this host.'), {
        description:
          '`oidc`: roles of this host in the place of one of the provider. The roles admin, owner, operator and auditor come from a provider in no other way.',
      }),
    ),
    allowSignUp: Type.Optional(
      Type.Boolean({
        description:
          '`oidc`: make a user of whoever the provider vouches for and who is none yet; false when missing.',
      }),
    ),
    tenant: Type.Optional(name('`oidc`: the tenant of all users of the provider, whatever its claims say.')),
    displayName: Type.Optional(name('`oidc`: what pages call the provider; its name when missing.')),
  },
  { additionalProperties: false },
)

const policies = (description: string) =>
  Type.Array(Type.Unknown(), { default: [], maxItems: policyLimits.policiesMax, description })

const algorithms = [
  'deny-overrides',
  'permit-overrides',
  'first-applicable',
  'deny-unless-permit',
  'permit-unless-deny',
] as const

const policySettings = Type.Object(
  {
    algorithm: Type.Union(
      algorithms.map((each) => Type.Literal(each)),
      { default: 'deny-overrides', description: 'What several policies come to together.' },
    ),
    default: Type.Union([Type.Literal('permit'), Type.Literal('deny')], {
      default: 'deny',
      description: 'What holds where no policy applies, unless the algorithm says it itself.',
    }),
    environment: Type.String({
      default: 'production',
      minLength: 1,
      maxLength: 64,
      description: 'Name of the environment that the host runs in, for `auth.policies.seed.environments`.',
    }),
    policies: policies(
      'Policies that can only be changed here. They go before those of the database with the same ids.',
    ),
    seed: Type.Object(
      {
        enabled: Type.Boolean({ default: true, description: 'Plant the seeds when the host starts.' }),
        onlyIfEmpty: Type.Boolean({
          default: true,
          description:
            'Only a database without any policy gets them. While it is false each is created once, and not again when it was deleted.',
        }),
        environments: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
          default: ['*'],
          maxItems: 100,
          description: 'Environments in which there are seeds; `*` is every one.',
        }),
        file: Type.String({
          default: '',
          description:
            'File with a list of policies, or `{"policies": [...]}`; none when empty. A relative path starts at the working directory.',
        }),
        policies: policies('More of them, which go before those of the file with the same ids.'),
      },
      { description: 'Policies that the database begins with, and that admins can change.' },
    ),
  },
  { description: 'By what the authorizer `policies` decides, where a rule names it.' },
)

/** What stands in the object `auth` of the file. */
export const authSettings = {
  enabled: Type.Boolean({
    default: true,
    description:
      'Find out who sends requests, and hold the rules. Without it everybody is anonymous, and only the admin token opens the operations of the host.',
  }),
  http: Type.Object(
    {
      authenticators: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        default: ['*'],
        maxItems: authLimits.pathsMax,
        description:
          'Authenticators that are asked where no rule holds, in this order. `["*"]` asks all that there are and lets strangers on to what decides by itself; any other list refuses requests without credentials; an empty one makes everything public that does not decide by itself.',
      }),
      authorizers: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        default: [],
        maxItems: authLimits.pathsMax,
        description: 'Authorizers where a rule names none; all of them have to allow a request.',
      }),
      rules: Type.Array(rule, {
        default: [],
        maxItems: authLimits.rulesMax,
        description: 'Who may pass at some paths; the first rule that holds for a request decides alone.',
      }),
      loginPath: Type.String({
        default: '',
        description:
          'Where somebody who opens a page without credentials is sent, with the page as `redirect`. Empty answers 401.',
      }),
    },
    { description: 'Who may send which requests.' },
  ),
  authenticators: Type.Record(Type.String(), authenticator, {
    default: {},
    description: 'Authenticators that take settings, by the name that rules call them.',
  }),
  session: Type.Object(
    {
      ttl: Type.String({
        default: '24h',
        description: 'Time without use after which a session ends.',
      }),
      maxAge: Type.String({
        default: '30d',
        description: 'Time after which a session ends however much it is used.',
      }),
      cookie: Type.String({
        default: 'modulacms_session',
        description: 'Name of the cookie of sessions; over secure connections with `__Host-` in front.',
      }),
      header: Type.String({
        default: 'x-session-id',
        description: 'Name of the header of sessions, for those who send no cookies.',
      }),
      secure: Type.Union([Type.Literal('auto'), Type.Literal('always'), Type.Literal('never')], {
        default: 'auto',
        description:
          'Whether browsers send the cookie over secure connections alone. "auto" decides by how the client reaches the host, which trusted proxies say as X-Forwarded-Proto.',
      }),
      sameSite: Type.Union([Type.Literal('lax'), Type.Literal('strict')], {
        default: 'lax',
        description:
          'Whether browsers send the cookie when somebody follows a link of another site: "lax" does.',
      }),
    },
    { description: 'Sessions of those who have signed in.' },
  ),
  login: Type.Object(
    {
      enabled: Type.Boolean({
        default: true,
        description: 'Let users sign in with a password. Other ways to sign in stay.',
      }),
      attempts: Type.Integer({
        default: 10,
        minimum: 1,
        maximum: 1000,
        description:
          'Failures of one network at one name before it has to pause, longer with each further one.',
      }),
      window: Type.String({
        default: '15m',
        description: 'Longest such pause, and the time in which failures are forgotten.',
      }),
      perAddress: Type.Integer({
        default: 100,
        minimum: 1,
        maximum: 1_000_000,
        description: 'Failures of one network in a window, at all names together.',
      }),
    },
    { description: 'Signing in with a password.' },
  ),
  roles: Type.Record(Type.String(), names('Permissions.'), {
    default: {},
    description: `What roles permit in the administration: ${permissionNameWords}, "<area>:*", "*:read" or "*". The roles admin, owner, operator, auditor and user are there.`,
  }),
  policies: policySettings,
} satisfies Record<string, TSchema>
