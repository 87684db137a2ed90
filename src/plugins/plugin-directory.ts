import type { Generation } from '../sandbox/generation.js'
import type { PluginBreaker } from './breaker.js'
import type { GrantTable } from './grants/grant-table.js'
import type { PluginState } from './plugin-state.js'
import type { RouteTable } from './route-table.js'

/** A plugin as the dispatcher sees it. The reference is replaced, never changed, when a generation is swapped. */
export interface ServedPlugin {
  readonly name: string
  readonly state: PluginState
  /** Undefined when nothing was ever loaded, e.g. in state `failed`. */
  readonly generation: Generation | undefined
  /** All routes of the generation with their approval; empty without a generation. */
  readonly routes: RouteTable
  /** Approved routes of a plugin that has failed, and never ran: they answer 503 in the place of 404. */
  readonly missedRoutes?: RouteTable | undefined
  /** What it may do beside serving routes; without a generation, the stages that are missed. */
  readonly grants: GrantTable
  readonly breaker: PluginBreaker
}

/** Finds plugins by name; implemented by the plugin manager. */
export interface PluginDirectory {
  find(plugin: string): ServedPlugin | undefined
  /** All plugins in the order in which they were started. */
  all(): readonly ServedPlugin[]
}

/** Tells what code of plugins may do; implemented by the plugin manager. */
export interface GrantDirectory {
  /**
   * What a generation may do, whether it serves, runs its on_init before it serves, or finishes its calls after it has been
   * replaced. Empty when there is no such generation.
   *
   * @param generation Number of the generation, e.g. that of a `HostAsk`.
   */
  grantsOf(plugin: string, generation: number): GrantTable
}
