import { messageOf } from '../base/errors.js'
import type { ApprovalResult, RouteListing, RouteReference } from './administration.js'
import type { ApprovalStore } from './approval-store.js'
import type { Catalogue } from './catalogue.js'
import type { PluginEntry } from './plugin-entry.js'
import type { PluginLog } from './plugin-log.js'
import { listRoutes } from './plugin-views.js'
import { RouteTable } from './route-table.js'
import type { SerialQueue } from './serial-queue.js'

export interface RouteApprovalsOptions {
  readonly catalogue: Catalogue
  readonly store: ApprovalStore
  readonly log: PluginLog
  /** Gives the time as RFC 3339. */
  readonly now: () => string
  /** Orders changes of the approvals and the swaps of each plugin. */
  readonly swaps: SerialQueue
}

/** Approves and revokes routes: in the database first, then for the next request. */
export class RouteApprovals {
  readonly #options: RouteApprovalsOptions

  constructor(options: RouteApprovalsOptions) {
    this.#options = options
  }

  list(): readonly RouteListing[] {
    return this.#options.catalogue.all().flatMap(listRoutes)
  }

  /** Approves routes that a plugin has registered, for the version and the source that is loaded. */
  approve(routes: readonly RouteReference[], actor: string): Promise<ApprovalResult> {
    return this.#change(routes, async (route, entry) => {
      const isKnown = entry !== undefined && findRoute(entry, route) !== undefined
      if (!isKnown) return false
      entry.assertSource(route.content_hash)
      const { now, store } = this.#options
      const { contentHash, manifest } = entry
      const version = manifest?.version ?? ''
      const { plugin, method, path } = route
      const isStored = await store.approve({ plugin, method, path, version, contentHash, actor, now: now() })
      if (isStored) this.#show(entry, route, true)
      if (isStored)
        this.#options.log.info({ plugin, method, path, version, contentHash, actor }, 'route approved')
      return isStored
    })
  }

  /** Withdraws approvals, also stored ones of plugins that do not run. */
  revoke(routes: readonly RouteReference[], actor: string): Promise<ApprovalResult> {
    return this.#change(routes, async (route, entry) => {
      const { plugin, method, path } = route
      const isStored = await this.#options.store.revoke({ plugin, method, path })
      const isKnown = entry !== undefined && findRoute(entry, route) !== undefined
      if (isKnown) this.#show(entry, route, false)
      if (isStored || isKnown) this.#options.log.info({ plugin, method, path, actor }, 'route revoked')
      return isStored || isKnown
    })
  }

  async #change(
    routes: readonly RouteReference[],
    apply: (route: RouteReference, entry: PluginEntry | undefined) => Promise<boolean>,
  ): Promise<ApprovalResult> {
    const errors: string[] = []
    for (const route of routes) {
      const { plugin, method, path } = route
      const name = `route ${method} ${path} of plugin "${plugin}"`
      try {
        const isDone = await this.#options.swaps.run(plugin, () =>
          apply(route, this.#options.catalogue.get(plugin)),
        )
        if (!isDone) errors.push(`${name} not found`)
      } catch (error) {
        errors.push(`${name} was not changed: ${messageOf(error)}`)
      }
    }
    return { errors }
  }

  #show(entry: PluginEntry, { method, path }: RouteReference, approved: boolean): void {
    const routes = entry.served.routes.routes.map((route) =>
      route.method === method && route.path === path ? { ...route, approved } : route,
    )
    entry.setRoutes(RouteTable.create(routes))
  }
}

function findRoute(entry: PluginEntry, { method, path }: RouteReference) {
  return entry.served.routes.routes.find((route) => route.method === method && route.path === path)
}
