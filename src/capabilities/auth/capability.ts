import { pluginAuthLimits } from '../../base/limits/auth.js'
import { permissionNames } from '../../identity/permissions.js'
import { type ClassDoc, defineCapability, type FunctionDefinition, type LuaFunctionDoc } from '../define.js'
import { checkFunction } from './check-function.js'
import { authLua } from './lua-part.js'
import { describePredicates, predicateClasses, predicateFunction } from './predicate-function.js'
import { registerAuthenticator, registerAuthorizer } from './registration.js'
import { readRequirement } from './requirement-reader.js'

const registering = { phases: ['manifest', 'module'], cost: 0, mode: 'sync', returns: [] } as const

const bounds = [
  `Limits: ${pluginAuthLimits.registrationsMax} authenticators, authorizers and predicates a plugin, ${pluginAuthLimits.timeoutMs} ms and`,
  `${pluginAuthLimits.operationsMax} database and key-value operations a call; no requests to other servers and no core tables.`,
  'Works only at module scope. Raises for names and options that are none.',
].join('\n')

const nameParam = {
  name: 'name',
  type: 'string',
  doc: 'What rules of the configuration call it: lower-case letters, digits and `_`; no other plugin may have it.',
} as const

const authenticator: FunctionDefinition = {
  ...registering,
  name: 'authenticator',
  doc: [
    'Registers a function that tells who sends a request, once an admin has approved it and a rule of `auth.http` names it,',
    'or nothing is said there. It sees the credentials of everybody whom it is asked about.',
    '',
    'It returns `auth.identity{...}` for a credential that it knows, nothing or `auth.none()` for one that is not of its',
    'kind, and `auth.fail(...)` for one of its kind that it does not take: then nobody else is asked, and the answer is 401.',
    'An error, a result of another kind, or no result in time is answered with 503. Nobody is let in by mistake.',
    '',
    'What it says opens none of the operations of the host, whatever the roles are called.',
    '',
    bounds,
  ].join('\n'),
  params: [
    nameParam,
    {
      name: 'handler',
      type: 'function',
      luaType: 'fun(req: auth.Request): auth.Outcome?',
      doc: 'Called for each request that comes to it.',
    },
    {
      name: 'options',
      type: 'any',
      optional: true,
      luaType: 'auth.AuthenticatorOptions',
      doc: 'Which requests it is asked about; left out: all.',
    },
  ],
  example: [
    'auth.authenticator("badge", function(req)',
    '  local badge = db.query_one("badges", { hash = crypto.sha256(req.bearer) })',
    '  if not badge then return auth.fail("invalid") end',
    '  return auth.identity({ type = "worker", id = badge.id, tenant_id = badge.tenant_id })',
    'end, { bearer = "badge_" })',
  ].join('\n'),
  handler: registerAuthenticator,
}

const authorizer: FunctionDefinition = {
  ...registering,
  name: 'authorizer',
  doc: [
    'Registers a function that decides whether somebody may do something, once an admin has approved it and a rule of',
    '`auth.http` names it. Everything that a rule names has to allow a request.',
    '',
    '`true` or `auth.allow()` allows; `false`, nothing or `auth.deny(reason)` answers 403. An error, a result of another kind,',
    'or no result in time is answered with 500: nothing is allowed by mistake.',
    '',
    bounds,
  ].join('\n'),
  params: [
    nameParam,
    {
      name: 'handler',
      type: 'function',
      luaType: 'fun(identity: auth.Identity, access: auth.Access): auth.Decision|boolean|nil',
      doc: 'Called for each request whose rule names it.',
    },
  ],
  example: [
    'auth.authorizer("office_hours", function(identity, access)',
    '  if access.action == "view" then return true end',
    '  return auth.deny("changes wait for an owner")',
    'end)',
  ].join('\n'),
  handler: registerAuthorizer,
}

const requirement: FunctionDefinition = {
  name: 'require',
  doc: [
    'Says what callers of a route need, for the option `auth` of `http.handle`. The host checks it before any code of the',
    'plugin runs, middleware included: without a credential the answer is 401, and 403 for somebody who lacks something of',
    'it. An admin sees it when they approve the route; a route that comes to ask for something else has to be approved again.',
    '',
    'It can only keep callers out whom the rules of `auth.http` let in. All of its fields have to hold.',
    '',
    'Works only at module scope. Raises for fields and permissions that there are not, and when it asks for nothing.',
  ].join('\n'),
  params: [
    {
      name: 'fields',
      type: 'any',
      luaType: 'auth.RequirementFields',
      doc: 'What callers need; at least one thing.',
    },
  ],
  returns: [{ luaType: 'auth.Requirement', doc: 'For the option `auth` of a route.' }],
  phases: ['manifest', 'module'],
  cost: 0,
  mode: 'sync',
  example: [
    'http.handle("POST", "/reports", function(req)',
    '  return { status = 201, json = { author = req.identity.id } }',
    'end, { auth = auth.require({ roles = { "analyst", "editor" }, tenant = true }) })',
  ].join('\n'),
  handler: (_call, fields) => ({ requires: { ...readRequirement(fields) } }) as never,
}

const building = { phases: ['manifest', 'module', 'stage', 'test'] } as const

const builders: readonly LuaFunctionDoc[] = [
  describePredicates(bounds),
  {
    ...building,
    name: 'identity',
    doc: 'Makes the result of an authenticator that knows somebody.',
    params: [{ name: 'fields', type: 'table', luaType: 'auth.IdentityFields', doc: 'Who it is.' }],
    returns: [{ luaType: 'auth.Outcome', doc: 'For the authenticator to return.' }],
    example: 'return auth.identity({ type = "worker", id = badge.id, tenant_id = badge.tenant_id })',
  },
  {
    ...building,
    name: 'none',
    doc: 'Makes the result of an authenticator for a request without a credential of its kind. Returning nothing says the same.',
    params: [],
    returns: [{ luaType: 'auth.Outcome', doc: 'For the authenticator to return.' }],
    example: 'if not req.bearer then return auth.none() end',
  },
  {
    ...building,
    name: 'fail',
    doc: 'Makes the result of an authenticator for a credential of its kind that it does not take.',
    params: [
      {
        name: 'reason',
        type: 'string',
        optional: true,
        luaType: '"invalid"|"expired"|"revoked"|"unsupported"',
        doc: 'Left out: `"invalid"`.',
      },
      {
        name: 'message',
        type: 'string',
        optional: true,
        doc: `A sentence for the caller, at most ${pluginAuthLimits.reasonCharactersMax} characters. Left out: one that fits the reason.`,
      },
    ],
    returns: [{ luaType: 'auth.Outcome', doc: 'For the authenticator to return.' }],
    example: 'if badge.revoked_at then return auth.fail("revoked") end',
  },
  {
    ...building,
    name: 'allow',
    doc: 'Makes the result of an authorizer that allows something.',
    params: [],
    returns: [{ luaType: 'auth.Decision', doc: 'For the authorizer to return.' }],
    example: 'if access.action == "view" then return auth.allow() end',
  },
  {
    ...building,
    name: 'deny',
    doc: 'Makes the result of an authorizer that does not allow something.',
    params: [
      {
        name: 'reason',
        type: 'string',
        optional: true,
        doc: `For the caller, at most ${pluginAuthLimits.reasonCharactersMax} characters. Left out: that it is not allowed.`,
      },
    ],
    returns: [{ luaType: 'auth.Decision', doc: 'For the authorizer to return.' }],
    example: 'return auth.deny("changes wait for an owner")',
  },
]

const identityFields: ClassDoc['fields'] = [
  { name: 'name', luaType: 'string?', doc: 'How people call them.' },
  { name: 'email', luaType: 'string?', doc: 'Where mail reaches them.' },
  { name: 'tenant_id', luaType: 'string?', doc: 'The tenant whose data they may see; nil for none.' },
  { name: 'roles', luaType: 'string[]', doc: 'Their roles.' },
  { name: 'groups', luaType: 'string[]', doc: 'Their groups.' },
  { name: 'attributes', luaType: 'table<string, any>', doc: 'What else is known.' },
]

/** The Lua module `auth`: who sends requests, and what they may do. */
export const authCapability = defineCapability({
  name: 'auth',
  doc: [
    'Tells who sends requests, decides what they may do, and answers conditions of policies. All of it needs the approval of',
    'an admin. Which paths it is asked about stands in the configuration of the host (`auth.http`), not in the plugin.',
  ].join('\n'),
  functions: [authenticator, authorizer, predicateFunction, requirement, checkFunction],
  luaFunctions: builders,
  lua: authLua,
  classes: [
    {
      name: 'auth.AuthenticatorOptions',
      doc: 'Which requests an authenticator is asked about. Other members are refused.',
      fields: [
        { name: 'bearer', luaType: 'string?', doc: 'Only those with a bearer token that begins so.' },
        { name: 'header', luaType: 'string?', doc: 'Only those with this header.' },
      ],
    },
    {
      name: 'auth.Request',
      doc: 'A request whose sender is to be found out; without its body.',
      fields: [
        { name: 'method', luaType: 'string', doc: 'In upper case.' },
        { name: 'path', luaType: 'string', doc: 'Decoded, without the query.' },
        { name: 'query', luaType: 'table<string, string>', doc: 'The first value of each parameter.' },
        {
          name: 'headers',
          luaType: 'table<string, string>',
          doc: 'By name in lower case, credentials included.',
        },
        { name: 'bearer', luaType: 'string?', doc: 'The bearer token; nil without one.' },
        { name: 'client_ip', luaType: 'string', doc: 'Address of the client.' },
      ],
    },
    {
      name: 'auth.IdentityFields',
      doc: 'Who somebody is. Other members are refused, and so are values that are too long.',
      fields: [
        { name: 'type', luaType: '"user"|"service"|"worker"|nil', doc: 'Left out: `"user"`.' },
        { name: 'id', luaType: 'string|integer', doc: 'Unique among those of this authenticator.' },
        ...identityFields.map((field) => ({ ...field, luaType: `${field.luaType.replace(/\?$/, '')}?` })),
      ],
    },
    {
      name: 'auth.Identity',
      doc: 'Somebody who sends a request.',
      fields: [
        { name: 'type', luaType: '"user"|"key"|"service"|"worker"|"anonymous"', doc: 'What they are.' },
        { name: 'id', luaType: 'string', doc: 'Unique among those of one type and authenticator.' },
        ...identityFields,
        { name: 'authenticator', luaType: 'string', doc: 'Who vouches for them; `"none"` for anonymous.' },
      ],
    },
    {
      name: 'auth.Access',
      doc: 'What somebody wants to do.',
      fields: [
        {
          name: 'action',
          luaType: 'string',
          doc: '`view`, `create`, `update` or `delete`, by the method; what a handler names in `auth.check`.',
        },
        { name: 'resource_type', luaType: 'string', doc: '`path`, or what a handler names.' },
        { name: 'resource_id', luaType: 'string?', doc: 'The path, or what a handler names.' },
        { name: 'attributes', luaType: 'table<string, any>', doc: 'What else is known, e.g. `tenantId`.' },
        { name: 'method', luaType: 'string', doc: 'In upper case.' },
        { name: 'path', luaType: 'string', doc: 'Decoded, without the query.' },
        { name: 'client_ip', luaType: 'string', doc: 'Address of the client.' },
      ],
    },
    {
      name: 'auth.RequirementFields',
      doc: 'What callers of a route need: all of the fields that are there. Others are refused.',
      fields: [
        { name: 'roles', luaType: 'string[]?', doc: 'One of these roles.' },
        {
          name: 'permissions',
          luaType: 'string[]?',
          doc: `All of these permissions of the host: ${permissionNames.map((name) => `\`${name}\``).join(', ')}.`,
        },
        {
          name: 'tenant',
          luaType: 'true?',
          doc: 'To belong to a tenant, which is then in `req.identity.tenant_id`.',
        },
        { name: 'authenticators', luaType: 'string[]?', doc: 'To be vouched for by one of these.' },
        {
          name: 'types',
          luaType: '("user"|"key"|"service"|"worker")[]?',
          doc: 'To be one of these, e.g. a person and no key.',
        },
      ],
    },
    { name: 'auth.Requirement', doc: 'What `auth.require` makes.', fields: [] },
    {
      name: 'auth.Resource',
      doc: 'What something is done to. Other members are refused.',
      fields: [
        { name: 'type', luaType: 'string?', doc: 'What it is, e.g. `report`. Left out: `none`.' },
        { name: 'id', luaType: 'string|integer|nil', doc: 'Which one; nil for all, or for a new one.' },
        { name: 'tenant_id', luaType: 'string|integer|nil', doc: 'Whose it is; `tenant_scope` compares it.' },
        { name: 'attributes', luaType: 'table<string, any>?', doc: 'What else authorizers should know.' },
      ],
    },
    ...predicateClasses,
    { name: 'auth.Outcome', doc: 'What an authenticator returns.', fields: [] },
    { name: 'auth.Decision', doc: 'What an authorizer returns.', fields: [] },
  ],
})
