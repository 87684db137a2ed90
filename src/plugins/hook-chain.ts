import { type DeclaredHook, hooksOf } from './grants/declared-grants.js'
import { hookKey } from './grants/grant-keys.js'
import type { ServedPlugin } from './plugin-directory.js'

/** One hook of a chain. */
export interface ChainedHook extends DeclaredHook {
  readonly plugin: ServedPlugin
  /** Whether its plugin may run it. */
  readonly approved: boolean
}

/** The table that stands for all. */
export const anyTable = '*'

/**
 * Lists the hooks of an event on a table in the order in which they run, approved or not: by priority, at equal
 * priority those of the very table before those of all tables, then in the order in which each plugin has
 * registered them, then in the order in which the plugins were started.
 *
 * @param plugins In the order in which they were started.
 */
export function hookChain(
  plugins: readonly ServedPlugin[],
  event: string,
  table: string,
): readonly ChainedHook[] {
  const entries = plugins.flatMap((plugin, load) =>
    allHooks(plugin)
      .map((hook, index) => ({ hook, index, load }))
      .filter(({ hook }) => hook.event === event && (hook.table === table || hook.table === anyTable)),
  )
  const isWildcard = ({ table: own }: ChainedHook) => Number(own === anyTable)
  return entries
    .sort(
      (a, b) =>
        a.hook.priority - b.hook.priority ||
        isWildcard(a.hook) - isWildcard(b.hook) ||
        a.index - b.index ||
        a.load - b.load,
    )
    .map(({ hook }) => hook)
}

/** All hooks of a plugin in the order of registration. */
export function allHooks(plugin: ServedPlugin): readonly ChainedHook[] {
  const registrations = plugin.generation?.inspection.registrations ?? []
  return hooksOf(registrations).map((hook) => ({
    ...hook,
    plugin,
    approved: plugin.grants.isApproved('hook', hookKey(hook.event, hook.table)),
  }))
}
