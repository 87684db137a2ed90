import { jsonText } from '../../sandbox/json-text.js'
import { type LuaObject, LuaRaise, type LuaValue, Results } from '../../sandbox/lua-value.js'
import { readTestIdentity } from '../auth/outcome-reader.js'
import type { ClaimedDecision } from '../auth/wire.js'
import type { Call, FunctionDefinition } from '../define.js'
import { type AskedAuthorizer, type CheckMock, testTopics } from './topics.js'

const shared = { phases: ['test'], cost: 0, mode: 'async' } as const

/** What tests have for authorizers and for `auth.check`. */
export const authTestFunctions: readonly FunctionDefinition[] = [
  {
    ...shared,
    name: 'authorize',
    doc: [
      'Asks an authorizer of the plugin. What is left out of `access` is that of `GET /`.',
      '',
      'Raises for an authorizer that the plugin does not have, and for one that raises or gives something that is no decision.',
    ].join('\n'),
    params: [
      { name: 'name', type: 'string', doc: 'What the plugin registered it as.' },
      { name: 'identity', type: 'any', luaType: 'test.Identity', doc: 'Who wants to do it.' },
      { name: 'access', type: 'any', optional: true, luaType: 'auth.Access?', doc: 'What they want to do.' },
    ],
    returns: [
      { luaType: 'true?', doc: 'True when it allows it, else nil.' },
      { luaType: 'string?', doc: 'Why it does not.' },
    ],
    example: 'test.assert(test.authorize("office_hours", { id = "ann" }, { action = "view" }))',
    handler: authorize,
  },
  {
    ...shared,
    name: 'mock_check',
    doc: [
      'Says what `auth.check` answers in requests of this test. Without it nothing is allowed, as where no rule of the host',
      'names an authorizer. The first one that fits is used, any number of times.',
    ].join('\n'),
    params: [
      { name: 'action', type: 'string', doc: 'As the handler names it.' },
      {
        name: 'resource_type',
        type: 'string',
        doc: 'As the handler names it; `none` where it names nothing.',
      },
      { name: 'allows', type: 'boolean', doc: 'Whether it is allowed.' },
      { name: 'reason', type: 'string', optional: true, doc: 'Why it is not.' },
    ],
    returns: [],
    example: 'test.mock_check("delete", "report", false, "it belongs to somebody else")',
    handler: mockCheck,
  },
]

async function authorize(
  call: Call,
  name: LuaValue,
  identity: LuaValue,
  access: LuaValue,
): Promise<LuaValue | Results> {
  const asked: AskedAuthorizer = {
    name: textOf('test.authorize: name', name),
    identity: readTestIdentity(identity, 'test.authorize: identity'),
    access: jsonText(accessOf(access)),
  }
  const { allows, reason } = (await call.ask(testTopics.authorize, asked)) as ClaimedDecision
  return allows ? true : new Results(undefined, reason)
}

async function mockCheck(
  call: Call,
  action: LuaValue,
  resourceType: LuaValue,
  allows: LuaValue,
  reason: LuaValue,
): Promise<undefined> {
  const mock: CheckMock = {
    action: textOf('test.mock_check: action', action),
    resourceType: textOf('test.mock_check: resource_type', resourceType),
    allows: allows === true,
    reason: reason === undefined ? 'it is not allowed' : textOf('test.mock_check: reason', reason),
  }
  await call.ask(testTopics.mockCheck, mock)
}

function accessOf(value: LuaValue): LuaObject {
  const defaults: LuaObject = Object.assign(Object.create(null), {
    action: 'view',
    resource_type: 'path',
    attributes: Object.create(null),
    method: 'GET',
    path: '/',
    client_ip: '127.0.0.1',
  })
  if (value === undefined) return defaults
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    throw new LuaRaise('test.authorize: access must be a table such as { action = "view" }')
  }
  return Object.assign(defaults, value)
}

function textOf(title: string, value: LuaValue): string {
  if (typeof value === 'string') return value
  throw new LuaRaise(`${title} must be UTF-8 text`)
}
