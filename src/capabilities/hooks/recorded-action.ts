import { hookLimits } from '../../base/limits/hooks.js'
import { jsonText } from '../../sandbox/json-text.js'
import { LuaRaise, type LuaValue } from '../../sandbox/lua-value.js'
import type { Call } from '../define.js'

/** What a plugin may say of an action. */
export const actionFields = [
  'identity',
  'outcome',
  'resource_type',
  'resource_id',
  'details',
  'client_ip',
] as const

const actionPattern = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$/

/** Reads what `hooks.record` is called with, and sends it to the host. */
export function recordAction(call: Call, action: LuaValue, fields: LuaValue): undefined {
  if (typeof action !== 'string' || action.length > hookLimits.tableBytesMax || !actionPattern.test(action)) {
    throw new LuaRaise(
      'hooks.record: the action must be lower-case words with dots between them, e.g. token.create',
    )
  }
  const text = readFields(fields)
  call.services.recordAction(call.owner.plugin, {
    action,
    fields: call.secrets.isIdle ? text : call.secrets.redact(text),
    requestId: call.requestId,
  })
}

function readFields(fields: LuaValue): string {
  if (fields === undefined || fields === null) return '{}'
  const names = typeof fields === 'object' && !Array.isArray(fields) ? Object.keys(fields) : undefined
  if (names === undefined) throw new LuaRaise('hooks.record: the fields must be a table with names')
  const unknown = names.find((name) => !(actionFields as readonly string[]).includes(name))
  if (unknown !== undefined) {
    const known = actionFields.join(', ')
    throw new LuaRaise(`hooks.record has no field ${JSON.stringify(unknown.slice(0, 64))}; it takes ${known}`)
  }
  const text = toJson(fields)
  const bytes = Buffer.byteLength(text)
  if (bytes <= hookLimits.actionDetailsBytesMax) return text
  throw new LuaRaise(
    `hooks.record: the fields have ${bytes} bytes; the limit is ${hookLimits.actionDetailsBytesMax}`,
  )
}

function toJson(fields: LuaValue): string {
  try {
    return jsonText(fields ?? null)
  } catch (error) {
    throw new LuaRaise(`hooks.record: ${error instanceof Error ? error.message : String(error)}`)
  }
}
