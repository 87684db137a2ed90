import type { PluginAction } from '../../capabilities/hooks/plugin-action.js'
import type { JsonValue } from '../../identity/identity.js'
import type { Actor, RecordedAction } from '../../identity/recorded-action.js'

/** With which actions of the host begin. */
const hostWords: ReadonlySet<string> = new Set([
  ...['gateway', 'hook', 'key', 'kv', 'plugin', 'policy', 'role', 'session', 'user'],
])

type Fields = Readonly<Record<string, JsonValue | undefined>>

/**
 * Gives what a plugin has recorded as an action of the host. Who it was is the plugin's word; that the plugin says so is
 * not: its name begins the action, behind `plugins.` where actions of the host begin so, and stands in the details.
 */
export function readPluginAction(
  plugin: string,
  { action, fields, requestId }: PluginAction,
): RecordedAction {
  const given = JSON.parse(fields) as Fields
  const { outcome, resource_type: type, resource_id: id, details, client_ip: ip } = given
  return {
    action: `${hostWords.has(plugin) ? 'plugins.' : ''}${plugin}.${action}`,
    outcome: outcome === 'failure' ? 'failure' : 'success',
    actor: readActor(given.identity),
    resource: { type: textOf(type) ?? action.split('.', 1)[0] ?? action, id: textOf(id) },
    details: { ...objectOf(details), plugin },
    clientIp: textOf(ip),
    requestId,
  }
}

function readActor(value: JsonValue | undefined): Actor {
  const { type, id, name, tenant_id: tenant } = objectOf(value)
  return { kind: textOf(type) ?? 'anonymous', id: textOf(id), name: textOf(name), tenant: textOf(tenant) }
}

function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value : undefined
}

function objectOf(value: JsonValue | undefined): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}
