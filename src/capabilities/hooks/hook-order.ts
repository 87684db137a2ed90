import { everyTable, hostActionsTable } from './events.js'
import type { HookDeclaration } from './hook-rules.js'

/** A hook among those of all plugins. */
export interface OrderedHook {
  readonly hook: Pick<HookDeclaration, 'table' | 'priority' | 'number'>
  /** Position of its plugin in the order in which plugins were started. */
  readonly load: number
}

/**
 * True when a hook fires around what happens to a table. What admins do is no table like the others: whoever approves a
 * hook for all content has not meant to show it that.
 */
export function isForTable(hook: Pick<HookDeclaration, 'table'>, table: string): boolean {
  return hook.table === table || (hook.table === everyTable && table !== hostActionsTable)
}

/** The order of hooks: priority, those for a table before those for all, registration, load of the plugin. */
export function compareHooks(a: OrderedHook, b: OrderedHook): number {
  return (
    a.hook.priority - b.hook.priority ||
    Number(a.hook.table === everyTable) - Number(b.hook.table === everyTable) ||
    a.hook.number - b.hook.number ||
    a.load - b.load
  )
}
