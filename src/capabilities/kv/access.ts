import { pluginNamespace, sharedNamespace } from '../../kv/namespace.js'
import type { KvSession } from '../../kv/sqlite/session.js'
import type { Call } from '../define.js'
import { KvFailure } from './failure.js'

/** What a function does with a namespace. */
export type Access = 'read' | 'write'

/** Names the namespace that only this plugin has: the host says whose call it is, and no argument can. */
export function ownNamespace(call: Call): string {
  return pluginNamespace(call.owner.plugin)
}

/**
 * Names a shared namespace, if the plugin may use it so at this moment: an approval that is withdrawn counts from the
 * next call on.
 *
 * @param name Without `shared:`.
 * @throws `KV_NAMESPACE_INVALID`.
 * @throws KvFailure that names what is to be approved.
 */
export function approvedNamespace(
  session: KvSession,
  call: Call,
  name: string,
  accesses: readonly Access[],
): string {
  const namespace = sharedNamespace(name)
  const { plugin } = call.owner
  const missing = accesses.filter((access) => !isApproved(session, plugin, `${name}:${access}`))
  if (missing.length === 0) return namespace
  const flags = missing.map((access) => `--kv ${name}:${access}`).join(' ')
  throw new KvFailure(
    `${missing.join(' and ')} access to the shared namespace "${name}" is not approved; declare it in kv_access of plugin_info, and have it approved: modulacms plugin approve ${plugin} ${flags}`,
  )
}

function isApproved(session: KvSession, plugin: string, key: string): boolean {
  const row = session
    .statement(
      "select 1 from plugin_grants where plugin_name = ? and kind = 'kv' and key = ? and approved = 1",
    )
    .get(plugin, key)
  return row !== undefined
}
