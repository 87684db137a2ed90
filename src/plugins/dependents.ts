import { dependencyText } from './dependency-order.js'
import type { PluginEntry } from './plugin-entry.js'

/** Lists the plugins that have failed because another one did not run. */
export function findBlocked(entries: readonly PluginEntry[], dependency: string): readonly PluginEntry[] {
  return entries.filter(
    ({ state, isEnabled, failedReason }) =>
      state === 'failed' && isEnabled && failedReason?.startsWith(dependencyText(dependency)) === true,
  )
}
