import type { HookEvent } from '../../capabilities/hooks/events.js'
import { compareHooks, isForTable } from '../../capabilities/hooks/hook-order.js'
import { type HookDeclaration, hookApprovalKey, hooksOf } from '../../capabilities/hooks/hook-rules.js'
import type { Generation } from '../../sandbox/generation.js'
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

/**
 * The hooks of all running plugins in their order. Made again when a plugin was started, stopped, reloaded or has
 * got other approvals, which is told from the identity of what the directory gives.
 */
export class HookIndex {
  readonly #directory: PluginDirectory
  readonly #isApproved: HookApproval
  #served: readonly ServedPlugin[] = []
  #byEvent: ReadonlyMap<HookEvent, readonly HookEntry[]> = new Map()

  constructor(directory: PluginDirectory, isApproved: HookApproval) {
    this.#directory = directory
    this.#isApproved = isApproved
  }

  /** The approved hooks for an event and a table, in the order in which they run. */
  matching(event: HookEvent, table: string): readonly HookEntry[] {
    const entries = this.#current().get(event)
    if (entries === undefined) return []
    return entries.filter(({ hook, isApproved }) => isApproved && isForTable(hook, table))
  }

  /** All approved hooks. */
  approved(): readonly HookEntry[] {
    return [...this.#current().values()].flat().filter(({ isApproved }) => isApproved)
  }

  /** One hook of a plugin, approved or not; undefined when the plugin does not run or has no such hook. */
  find(plugin: string, event: string, table: string, ordinal: number): HookEntry | undefined {
    return this.#current()
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

  #current(): ReadonlyMap<HookEvent, readonly HookEntry[]> {
    const served = this.#directory.all()
    const isSame =
      served.length === this.#served.length && served.every((each, at) => each === this.#served[at])
    if (!isSame) {
      this.#served = served
      this.#byEvent = this.#build(served)
    }
    return this.#byEvent
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
