import { messageOf } from '../base/errors.js'
import { routeKey, routesOf } from '../capabilities/http/route-rules.js'
import type { Generation } from '../sandbox/generation.js'
import type { ApprovalStore } from './approval-store.js'
import type { ApprovalBinding, RouteApproval } from './approvals.js'
import { PluginBreaker } from './breaker.js'
import { GrantTable } from './grants/grant-table.js'
import type { Candidate } from './loader.js'
import type { PluginEntry, RetiredGeneration } from './plugin-entry.js'
import type { PluginLog } from './plugin-log.js'
import { RouteTable, type ServedRoute } from './route-table.js'
import type { SerialQueue } from './serial-queue.js'

export interface BreakerSettings {
  /** Failures in a row that open the breaker of a plugin. */
  readonly failuresMax: number
  /** Time after which an open breaker lets a probe through. */
  readonly resetMs: number
}

export interface ActivatorOptions {
  readonly approvals: ApprovalStore
  readonly binding: ApprovalBinding
  readonly breaker: BreakerSettings
  /** Is told when the breaker of a plugin, which was closed, opens. */
  tripped(plugin: string): void
  readonly log: PluginLog
  /** Gives the time as RFC 3339. */
  readonly now: () => string
  /** Orders changes of the approvals and the swaps of each plugin; shared with who else changes approvals. */
  readonly swaps: SerialQueue
}

/** Puts generations into service and takes them out again. */
export class Activator {
  readonly #options: ActivatorOptions
  #activations = 0

  constructor(options: ActivatorOptions) {
    this.#options = options
  }

  createBreaker(plugin: string): PluginBreaker {
    const onTrip = (failures: number, again: boolean) => {
      this.#options.log.warn({ plugin, failures }, 'plugin breaker opened: its calls fail')
      if (!again) this.#options.tripped(plugin)
    }
    return new PluginBreaker({ ...this.#options.breaker, onTrip })
  }

  /**
   * Settles the approvals of a generation that has passed its on_init, then puts it into service by replacing one
   * reference. Nothing has changed when it rejects. What served before is disposed of in the background
   * (`entry.retiring`).
   */
  async activate(entry: PluginEntry, candidate: Candidate, generation: Generation): Promise<void> {
    const retired = await this.#options.swaps.run(entry.name, () => this.#swap(entry, candidate, generation))
    entry.retiring = this.#dispose(entry.name, retired)
  }

  /** Disposes of the generation of a plugin that has been stopped; its breaker stays until the next swap. */
  retire(entry: PluginEntry): Promise<void> {
    entry.retiring = this.#dispose(entry.name, { generation: entry.served.generation, breaker: undefined })
    return entry.retiring
  }

  async #swap(
    entry: PluginEntry,
    { manifest, contentHash }: Candidate,
    generation: Generation,
  ): Promise<RetiredGeneration> {
    const { approvals, binding, log, now } = this.#options
    const routes = routesOf(generation.inspection.registrations)
    // Before the transaction: routes that cannot be served must not touch the stored approvals.
    RouteTable.create(routes.map((route) => ({ ...route, approved: false })))
    const plan = await approvals.apply(entry.name, {
      routes,
      version: manifest.version,
      contentHash,
      binding,
      now: now(),
    })
    if (plan.withdrawn.length > 0) {
      log.warn({ plugin: entry.name, routes: plan.withdrawn }, 'routes have changed and need a new approval')
    }
    this.#activations += 1
    return entry.swap(
      {
        generation,
        manifest,
        contentHash,
        routes: createRouteTable(routes, plan.approvals),
        grants: GrantTable.create([]),
        breaker: this.createBreaker(entry.name),
      },
      this.#activations,
    )
  }

  async #dispose(plugin: string, { generation, breaker }: RetiredGeneration): Promise<void> {
    const { log } = this.#options
    try {
      if (generation !== undefined) {
        const drained = await generation.drain()
        if (!drained)
          log.warn({ plugin, generation: generation.id }, 'calls outlived the drain of their generation')
        await generation.close()
      }
    } catch (error) {
      log.error({ plugin, error: messageOf(error) }, 'a generation could not be closed')
    }
    breaker?.close()
  }
}

function createRouteTable(
  routes: readonly Omit<ServedRoute, 'approved'>[],
  approvals: readonly RouteApproval[],
): RouteTable {
  const approved = new Set(
    approvals.filter((row) => row.approved).map(({ method, path }) => routeKey(method, path)),
  )
  return RouteTable.create(routes.map((route) => ({ ...route, approved: approved.has(route.key) })))
}
