import { routeRequirementLimits } from '../../base/limits/auth.js'
import { identityLimits } from '../../base/limits/identity.js'
import { jsonText } from '../../sandbox/json-text.js'
import { type LuaObject, LuaRaise, type LuaValue, Results } from '../../sandbox/lua-value.js'
import type { Call, FunctionDefinition } from '../define.js'
import { readOptions } from '../kv/options.js'

/** Name under which handlers ask the host; the answer is a `CheckAnswer`. */
export const checkTopic = 'auth.check'

/** What a handler asks; who is never a part of it. */
export interface CheckQuestion {
  readonly action: string
  readonly resourceType: string
  readonly resourceId: string | undefined
  /** JSON of a table with names. */
  readonly attributes: string
}

/** The reason is the empty text for an allow. */
export interface CheckAnswer {
  readonly allows: boolean
  readonly reason: string
}

const countKey = 'auth.checks'

const { checksMax, resourceBytesMax } = routeRequirementLimits

/** The function `auth.check`. */
export const checkFunction: FunctionDefinition = {
  name: 'check',
  doc: [
    'Asks whether the sender of the request may do something with something: the authorizers that `auth.http` names for',
    'the path, with what only the handler knows. All of them have to allow it. Where none is named, and for a stranger,',
    'it is not allowed; the authorizer `none` allows everything.',
    '',
    'It is always about the sender of this very request. Raises outside of a handler, and when an authorizer cannot decide.',
    '',
    `Limits: ${checksMax} checks a call; ${resourceBytesMax} bytes of attributes as JSON.`,
  ].join('\n'),
  params: [
    {
      name: 'action',
      type: 'string',
      doc: 'What is done, e.g. `view`, `delete`, `publish`; at most 64 characters.',
    },
    {
      name: 'resource',
      type: 'any',
      optional: true,
      luaType: 'auth.Resource',
      doc: 'What it is done to. Left out: nothing in particular.',
    },
  ],
  returns: [
    { luaType: 'true?', doc: 'True when it is allowed, else nil.' },
    { luaType: 'string?', doc: 'Why it is not.' },
  ],
  phases: ['request'],
  cost: 1,
  mode: 'async',
  example: [
    'http.handle("DELETE", "/reports/{id}", function(req)',
    '  local report = db.query_one("reports", { where = { id = req.params.id } })',
    '  if not report then return { status = 404 } end',
    '  local allowed, reason = auth.check("delete", { type = "report", id = report.id, tenant_id = report.tenant_id })',
    '  if not allowed then return { status = 403, json = { error = reason } } end',
    '  db.delete("reports", { where = { id = report.id } })',
    '  return { status = 204 }',
    'end)',
  ].join('\n'),
  handler: check,
}

async function check(call: Call, action: LuaValue, resource: LuaValue): Promise<LuaValue | Results> {
  const question = readQuestion(action, resource)
  const count = ((call.locals.get(countKey) as number | undefined) ?? 0) + 1
  if (count > checksMax)
    throw new LuaRaise(`auth.check: a call may check ${checksMax} times; check before a loop`)
  call.locals.set(countKey, count)
  const { allows, reason } = (await call.ask(checkTopic, question)) as CheckAnswer
  return allows ? true : new Results(undefined, reason)
}

function readQuestion(action: LuaValue, resource: LuaValue): CheckQuestion {
  if (typeof action !== 'string' || !/^[a-z][\w.:-]{0,63}$/.test(action)) {
    throw new LuaRaise('auth.check: the action must be a short text such as "delete"')
  }
  const { type, id, tenant_id: tenantId, attributes } = readResource(resource)
  const named = Object.create(null) as LuaObject
  Object.assign(named, readAttributes(attributes))
  if (tenantId !== undefined) named.tenantId = readId('tenant_id', tenantId) as string
  const text = jsonText(named)
  const bytes = Buffer.byteLength(text)
  if (bytes > resourceBytesMax) {
    throw new LuaRaise(
      `auth.check: the attributes have ${bytes} bytes as JSON; the limit is ${resourceBytesMax}`,
    )
  }
  return {
    action,
    resourceType: readId('type', type) ?? 'none',
    resourceId: readId('id', id),
    attributes: text,
  }
}

function readResource(resource: LuaValue): Readonly<Record<string, LuaValue>> {
  try {
    return readOptions(resource, ['type', 'id', 'tenant_id', 'attributes'])
  } catch (error) {
    throw error instanceof LuaRaise ? new LuaRaise(`auth.check: ${error.message}`) : error
  }
}

function readId(name: string, value: LuaValue): string | undefined {
  if (value === undefined || value === null) return undefined
  const text = typeof value === 'number' && Number.isInteger(value) ? String(value) : value
  const max = identityLimits.nameCharactersMax
  if (typeof text === 'string' && text !== '' && text.length <= max) return text
  throw new LuaRaise(`auth.check: ${name} must be a text of 1 to ${max} characters, or a whole number`)
}

function readAttributes(value: LuaValue): object {
  if (value === undefined || value === null) return {}
  const isTable = typeof value === 'object' && !Array.isArray(value) && !ArrayBuffer.isView(value)
  if (isTable) return value
  if (Array.isArray(value) && value.length === 0) return {}
  throw new LuaRaise('auth.check: attributes must be a table with names')
}
