import type { ClassDoc, FunctionDefinition, LuaFunctionDoc } from '../define.js'
import { registerPolicy } from './registration.js'

const phases = ['manifest', 'module'] as const

/**
 * Documents `auth.policy`, which the Lua part puts in front of `predicateFunction`.
 *
 * @param bounds What holds for all functions that register something.
 */
export function describePredicates(bounds: string): LuaFunctionDoc {
  return {
    name: 'policy',
    doc: [
      'Registers a predicate that conditions of policies ask, as `{"type": "plugin", "plugin": "risk", "name": "is_low"}`, once an',
      'admin has approved it. It gets what the decision is about, as a copy, and returns exactly `true` or `false`.',
      '',
      'An error, any other result, or no result in time leaves the condition open, and a decision that depends on it is to',
      'deny: nothing is permitted by mistake. It is asked only where nothing cheaper settles the decision.',
      '',
      bounds,
    ].join('\n'),
    params: [
      {
        name: 'name',
        type: 'any',
        luaType: 'string|fun(context: auth.PolicyContext): boolean',
        doc: 'What conditions call it: lower-case letters, digits and `_`. The predicate itself takes the name `default`.',
      },
      {
        name: 'predicate',
        type: 'any',
        optional: true,
        luaType: 'fun(context: auth.PolicyContext): boolean',
        doc: 'Called once for a decision that needs it.',
      },
    ],
    example: [
      'auth.policy("is_low", function(context)',
      '  local risk = kv.get({ "risk", context.subject.id })',
      '  return risk ~= nil and risk.value < 10',
      'end)',
    ].join('\n'),
    phases,
    returns: [],
  }
}

/** The Lua part puts a missing name in. */
export const predicateFunction: FunctionDefinition = {
  name: '_policy',
  title: 'policy',
  doc: 'Registers a predicate.',
  params: [
    { name: 'name', type: 'string', doc: 'Its name.' },
    { name: 'predicate', type: 'function', doc: 'The function.' },
  ],
  returns: [],
  phases,
  cost: 0,
  mode: 'sync',
  handler: registerPolicy,
}

/** What predicates get. */
export const predicateClasses: readonly ClassDoc[] = [
  {
    name: 'auth.PolicyContext',
    doc: 'What a decision is about.',
    fields: [
      { name: 'subject', luaType: 'auth.PolicySubject', doc: 'Who asks.' },
      { name: 'resource', luaType: 'auth.PolicyResource', doc: 'What it is done to.' },
      { name: 'action', luaType: 'auth.PolicyAction', doc: 'What is done.' },
      { name: 'environment', luaType: 'auth.PolicyEnvironment', doc: 'Where from and when.' },
    ],
  },
  {
    name: 'auth.PolicySubject',
    doc: 'Somebody, as policies see them.',
    fields: [
      { name: 'id', luaType: 'string', doc: 'Unique among those of one kind and authenticator.' },
      { name: 'kind', luaType: '"user"|"key"|"service"|"worker"|"anonymous"', doc: 'What they are.' },
      { name: 'roles', luaType: 'string[]', doc: 'Their roles.' },
      { name: 'groups', luaType: 'string[]', doc: 'Their groups.' },
      { name: 'tenant', luaType: 'string?', doc: 'The tenant whose data they may see; nil for none.' },
      { name: 'claims', luaType: 'table<string, any>', doc: 'What else is known.' },
    ],
  },
  {
    name: 'auth.PolicyResource',
    doc: 'What something is done to; what is not known is nil.',
    fields: [
      { name: 'app', luaType: 'string?', doc: 'Name of the plugin whose route it is.' },
      { name: 'path', luaType: 'string?', doc: 'Decoded, without the query.' },
      { name: 'type', luaType: 'string?', doc: 'What it is.' },
      { name: 'id', luaType: 'string?', doc: 'Which one.' },
      { name: 'attributes', luaType: 'table<string, any>?', doc: 'What else is known, e.g. `tenantId`.' },
    ],
  },
  {
    name: 'auth.PolicyAction',
    doc: 'What is done; what is not known is nil.',
    fields: [
      { name: 'method', luaType: 'string?', doc: 'In upper case.' },
      {
        name: 'operation',
        luaType: 'string?',
        doc: '`view`, `create`, `update` or `delete`, by the method.',
      },
    ],
  },
  {
    name: 'auth.PolicyEnvironment',
    doc: 'Where a request comes from, and when; what is not known is nil.',
    fields: [
      { name: 'ip', luaType: 'string?', doc: 'Address of the client.' },
      { name: 'time', luaType: 'integer', doc: 'Milliseconds since 1970.' },
      { name: 'user_agent', luaType: 'string?', doc: 'What the client calls itself.' },
    ],
  },
]
