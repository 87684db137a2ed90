import { compareHooks, isForTable } from '../capabilities/hooks/hook-order.js'
import { type HookDeclaration, hookApprovalKey, hooksOf } from '../capabilities/hooks/hook-rules.js'
import type { ServedPlugin } from './plugin-directory.js'

/** One hook of a chain. */
export interface ChainedHook extends HookDeclaration {
  readonly plugin: ServedPlugin
  /** Whether its plugin may run it. */
  readonly approved: boolean
}

/**
 * Lists the hooks of an event on a table in the order in which they run, approved or not, also those of plugins that
 * do not run.
 *
 * @param plugins In the order in which they were started.
 */
export function hookChain(
  plugins: readonly ServedPlugin[],
  event: string,
  table: string,
): readonly ChainedHook[] {
  return plugins
    .flatMap((plugin, load) => allHooks(plugin).map((hook) => ({ hook, load })))
    .filter(({ hook }) => hook.event === event && isForTable(hook, table))
    .sort(compareHooks)
    .map(({ hook }) => hook)
}

/** All hooks of a plugin in the order of registration. */
export function allHooks(plugin: ServedPlugin): readonly ChainedHook[] {
  const registrations = plugin.generation?.inspection.registrations ?? []
  return hooksOf(registrations).map((hook) => ({
    ...hook,
    plugin,
    approved: plugin.grants.isApproved('hook', hookApprovalKey(hook.event, hook.table)),
  }))
}
