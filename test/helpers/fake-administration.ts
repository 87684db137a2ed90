import { HostError } from '../../src/base/errors.js'
import type {
  ApprovalResult,
  PluginAdministration,
  PluginDetails,
  RouteListing,
  RouteReference,
} from '../../src/plugins/administration.js'

/** A `PluginAdministration` over plain lists that records what was done and by whom. */
export class FakeAdministration implements PluginAdministration {
  readonly done: string[] = []
  readonly plugins = new Map<string, PluginDetails>()
  routeList: RouteListing[] = []
  orphans: string[] = []
  /** What the next reload or enable rejects with. */
  failure: Error | undefined

  list() {
    return [...this.plugins.values()]
  }

  get(plugin: string) {
    return this.plugins.get(plugin)
  }

  async reload(plugin: string, actor: string): Promise<void> {
    this.#change('reload', plugin, actor)
  }

  async enable(plugin: string, actor: string): Promise<void> {
    this.#change('enable', plugin, actor)
  }

  async resetBreaker(plugin: string, actor: string): Promise<void> {
    this.#change('reset breaker of', plugin, actor)
  }

  async disable(plugin: string, actor: string): Promise<void> {
    this.#change('disable', plugin, actor)
  }

  async orphanedTables() {
    return this.orphans
  }

  async dropOrphanedTables(tables: readonly string[], actor: string) {
    const dropped = tables.filter((table) => this.orphans.includes(table))
    this.done.push(`drop ${dropped.join(',')} by ${actor}`)
    return dropped
  }

  routes() {
    return this.routeList
  }

  approveRoutes(routes: readonly RouteReference[], actor: string) {
    return this.#approve(routes, actor, true)
  }

  revokeRoutes(routes: readonly RouteReference[], actor: string) {
    return this.#approve(routes, actor, false)
  }

  #change(action: string, plugin: string, actor: string): void {
    if (this.failure !== undefined) throw this.failure
    if (!this.plugins.has(plugin))
      throw new HostError('PLUGIN_NOT_FOUND', 404, `no plugin is called "${plugin}"`)
    this.done.push(`${action} ${plugin} by ${actor}`)
  }

  async #approve(
    routes: readonly RouteReference[],
    actor: string,
    approved: boolean,
  ): Promise<ApprovalResult> {
    const errors: string[] = []
    for (const { plugin, method, path } of routes) {
      const index = this.routeList.findIndex(
        (route) => route.plugin === plugin && route.method === method && route.path === path,
      )
      const found = this.routeList[index]
      if (found === undefined) errors.push(`route ${method} ${path} of ${plugin} not found`)
      else {
        this.routeList[index] = { ...found, approved }
        this.done.push(`${approved ? 'approve' : 'revoke'} ${plugin} ${method} ${path} by ${actor}`)
      }
    }
    return { errors }
  }
}

/** Details of a running plugin; `changes` replace fields. */
export function pluginDetails(name: string, changes: Partial<PluginDetails> = {}): PluginDetails {
  return {
    name,
    version: '1.0.0',
    description: `The ${name} plugin.`,
    state: 'running',
    circuit_breaker_state: 'closed',
    circuit_breaker_errors: 0,
    circuit_breaker_trips: 0,
    calls_in_flight: 0,
    budget_kills: {},
    quarantined: false,
    vms_available: 3,
    vms_total: 4,
    content_hash: 'ab'.repeat(32),
    generation: 7,
    ...changes,
  }
}

/** A route that waits for approval; `changes` replace fields. */
export function routeListing(
  plugin: string,
  method: string,
  path: string,
  changes: Partial<RouteListing> = {},
): RouteListing {
  return { plugin, method, path, public: false, approved: false, plugin_version: '1.0.0', ...changes }
}
