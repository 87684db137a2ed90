import type { HookEvent } from '../../capabilities/hooks/events.js'
import { compareHooks, isForTable } from '../../capabilities/hooks/hook-order.js'
import { type HookDeclaration, hookApprovalKey, hooksOf } from '../../capabilities/hooks/hook-rules.js'
import type { Generation } from '../../sandbox/generation.js'
import { DirectoryView } from '../directory-view.js'
import type { PluginDirectory, ServedPlugin } from '../plugin-directory.js'

/** One hook of a plugin that runs. */
export interface HookEntry {
  readonly plugin: string
  readonly generation: Generation
  readonly hook: HookDeclaration
  readonly isApproved: boolean
  /** Position of the plugin in the order in which plugins were started. */
  readonly load: number
}

/** Tells whether a hook may run; `key` is `<event>:<table>`. */
export type HookApproval = (served: ServedPlugin, key: string) => boolean

/** The hooks of all running plugins in their order. */
export class HookIndex {
  readonly #directory: PluginDirectory
  readonly #isApproved: HookApproval
  readonly #byEvent: DirectoryView<ReadonlyMap<HookEvent, readonly HookEntry[]>>

  constructor(directory: PluginDirectory, isApproved: HookApproval) {
    this.#directory = directory
    this.#isApproved = isApproved
    this.#byEvent = new DirectoryView(directory, (plugins) => this.#build(plugins))
  }

  /** The approved hooks for an event and a table, in the order in which they run. */
  matching(event: HookEvent, table: string): readonly HookEntry[] {
    const entries = this.#byEvent.current().get(event)
    if (entries === undefined) return []
    return entries.filter(({ hook, isApproved }) => isApproved && isForTable(hook, table))
  }

  /** All approved hooks. */
  approved(): readonly HookEntry[] {
    return [...this.#byEvent.current().values()].flat().filter(({ isApproved }) => isApproved)
  }

  /** One hook of a plugin, approved or not; undefined when the plugin does not run or has no such hook. */
  find(plugin: string, event: string, table: string, ordinal: number): HookEntry | undefined {
    return this.#byEvent
      .current()
      .get(event as HookEvent)
      ?.find(
        (entry) => entry.plugin === plugin && entry.hook.table === table && entry.hook.ordinal === ordinal,
      )
  }

  /** Whether calls of a plugin can be made. */
  isRunning(plugin: string): boolean {
    const served = this.#directory.find(plugin)
    return served?.state === 'running' && served.generation !== undefined
  }

  /** How many VMs a running plugin has; 0 when it does not run. */
  vmsOf(plugin: string): number {
    return this.#directory.find(plugin)?.generation?.status().vmsTotal ?? 0
  }

  #build(plugins: readonly ServedPlugin[]): ReadonlyMap<HookEvent, readonly HookEntry[]> {
    const byEvent = new Map<HookEvent, HookEntry[]>()
    for (const [load, served] of plugins.entries()) {
      const { generation, name: plugin, state } = served
      if (state !== 'running' || generation === undefined) continue
      for (const hook of hooksOf(generation.inspection.registrations)) {
        const isApproved = this.#isApproved(served, hookApprovalKey(hook.event, hook.table))
        const entries = byEvent.get(hook.event) ?? []
        entries.push({ plugin, generation, hook, isApproved, load })
        byEvent.set(hook.event, entries)
      }
    }
    for (const entries of byEvent.values()) entries.sort(compareHooks)
    return byEvent
  }
}
